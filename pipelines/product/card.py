"""The card of a product: what was read, how surely, where, and what has to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from pipelines.bounding_box import BoundingBox

FIELDS = ("name", "brand", "size", "price", "currency", "barcode")
"""What a card may hold, in the order it is shown."""

CONFIDENT = 0.9
"""From here on a value is practically never wrong; below it, a person is asked."""

CORROBORATED = 0.96
"""From here on a value was read twice, in two places or by two ways: sums that hold, bars and digits, front and tag."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value as text (an amount exactly as `Decimal` writes it), with a confidence of 0 to 1.

    `photo` counts from 0; `box` is in pixels of that photo turned upright. Both are None for what no photo shows,
    such as the shop's own currency.
    """

    value: str
    confidence: float
    photo: int | None = None
    box: BoundingBox | None = None

    @property
    def confident(self) -> bool:
        return self.confidence >= CONFIDENT


class DoubtKind(StrEnum):
    """Why a person has to be asked."""

    SEVERAL = "several"
    """The photos show more than one value, and no rule decides between them."""
    BARS_AND_DIGITS = "bars_and_digits"
    """The bars say another number than the digits printed beside them."""
    DIGITS_ONLY = "digits_only"
    """The number was read from its digits alone; the bars couldn't be read."""
    CENTS = "cents"
    """It can't be told whether the last two digits are cents."""
    FOR_SEVERAL = "for_several"
    """The price is that of several pieces together."""
    UNSURE = "unsure"
    """The value was read, but not well enough to be relied on."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question about a field: `candidates` are the values it may have, the likeliest first."""

    kind: DoubtKind
    field: str
    candidates: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ProductCard:
    """What photos of one product say; `fields` has only what was found, by the names in FIELDS.

    `details` is what codes and labels say beside that: country, former_price, unit_price, expires, lot, weight...
    `codes` are all that were decoded; `text` is what was read of each photo, for a model that helps to name.
    """

    fields: Mapping[str, Field] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    text: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the card for `json.dumps`; a field that wasn't found has the value None."""
        unknown = {"value": None, "confidence": 0.0, "photo": None, "box": None}
        return {
            "fields": {name: asdict(self.fields[name]) if name in self.fields else unknown for name in FIELDS},
            "doubts": [asdict(doubt) for doubt in self.doubts],
            "details": dict(self.details),
            "codes": list(self.codes),
        }

"""Card of a product: values with confidence and place, and the open questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from pipelines.bounding_box import BoundingBox

FIELDS = ("name", "brand", "size", "price", "currency", "barcode")
"""Fields of a card, in the order of display."""

CONFIDENT = 0.9
"""Least confidence of values that are practically never wrong; below it, a person is asked."""

CORROBORATED = 0.96
"""Least confidence of values that were read twice: a right sum, bars and digits, front and tag."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value as text (an amount exactly as `Decimal` writes it), with a confidence of 0 to 1.

    `photo` counts from 0; `box` is in pixels of that photo turned upright. Both are None for a value from no photo,
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
    """Reason to ask a person."""

    SEVERAL = "several"
    """The photos show more than one value, and no rule decides between them."""
    BARS_AND_DIGITS = "bars_and_digits"
    """The bars say another number than the digits printed beside them."""
    DIGITS_ONLY = "digits_only"
    """The number was read from its digits alone; the bars couldn't be read."""
    CENTS = "cents"
    """The last two digits may be cents."""
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
    """Facts of the photos of one product; `fields` has those that were found, by the names in FIELDS.

    `details` are further facts of codes and labels: country, former_price, unit_price, expires, lot, weight...
    `codes` are all decoded codes; `text` is the text of each photo, for a model that finds the name.
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

"""Input and output of the finders of fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.barcodes import Barcode
from pipelines.image import PhotoText
from pipelines.product.card import Doubt, Field
from pipelines.product.codes import ProductCode, code_of
from pipelines.product.layout import Piece, pieces_of


class Scan(NamedTuple):
    """A decoded code and its meaning."""

    photo: int
    barcode: Barcode
    code: ProductCode


class Findings(NamedTuple):
    """Result of a finder: fields by name, questions, further facts; an unsure field becomes a question anyway."""

    fields: dict[str, Field]
    doubts: tuple[Doubt, ...] = ()
    details: dict[str, str] = {}  # noqa: RUF012 -- never written to


NOTHING = Findings({})


@dataclass(frozen=True, slots=True)
class Evidence:
    """Texts and codes of all photos; `found` has the fields of earlier finders."""

    photo_texts: Sequence[PhotoText]
    pieces: tuple[Piece, ...]
    scans: tuple[Scan, ...]
    shop_currency: str
    found: dict[str, Field] = field(default_factory=dict)

    @classmethod
    def of(cls, photo_texts: Sequence[PhotoText], shop_currency: str) -> Evidence:
        pieces = tuple(piece for photo, photo_text in enumerate(photo_texts) for piece in pieces_of(photo_text, photo))
        scans = tuple(
            Scan(photo, barcode, code_of(barcode.value, may_be_gtin=barcode.may_be_gtin))
            for photo, photo_text in enumerate(photo_texts)
            for barcode in photo_text.barcodes
        )
        return cls(photo_texts, pieces, scans, shop_currency)

    def of_photo(self, photo: int) -> list[Piece]:
        return [piece for piece in self.pieces if piece.photo == photo]


Finder = Callable[[Evidence], Findings]
"""Finds one or a few fields; a new field is one of these and its row in `pipelines.product.FINDERS`."""

"""What the photos of one product show, as the finders of fields take it, and what they give back."""

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
    """A code that was decoded, and what it means."""

    photo: int
    barcode: Barcode
    code: ProductCode


class Findings(NamedTuple):
    """What a finder found: fields by name, questions, further facts; a field that isn't sure is asked about anyway."""

    fields: dict[str, Field]
    doubts: tuple[Doubt, ...] = ()
    details: dict[str, str] = {}  # noqa: RUF012 -- never written to


NOTHING = Findings({})


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was seen; `found` holds the fields of the finders that ran before."""

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

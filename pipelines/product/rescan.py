"""Reads doubtful places again in a cut of their own, because OCR reads very large type and lone letters better so."""

from __future__ import annotations

import asyncio
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from typing import NamedTuple

from pipelines import pillow
from pipelines.bounding_box import BoundingBox
from pipelines.image import PhotoText, ReadText, TextLine
from pipelines.product.card import CORROBORATED, Doubt, DoubtKind, ProductCard
from pipelines.product.evidence import Evidence
from pipelines.product.layout import Piece
from pipelines.product.price_parsing import amounts
from pipelines.product.size_parsing import sizes

MOST_RESCANS = 2
"""Most pictures that are read again for a card."""

_LETTERS = 60
_MARGIN = 0.4
_CENTS_BESIDE = 0.8
_SHORT = 8
_DIFFERENT = 0.7
_NUMBER = re.compile(r"[$€]?\s?\d+(?:[.,]\d+)?")


class RescanArea(NamedTuple):
    """A place to read again, with the height of its letters in pixels of the photo, and the text read there.

    With `check` it was read well, and the rescan only confirms it.
    """

    field: str
    photo: int
    box: BoundingBox
    tall: float
    text: str
    check: bool = False

    def distance(self, line: TextLine) -> float:
        """Return the distance between the middle of a line and that of this place."""
        x, y = line.box.x + line.box.width / 2, line.box.y + line.box.height / 2
        return math.dist((x, y), (self.box.x + self.box.width / 2, self.box.y + self.box.height / 2))


class Rescan(NamedTuple):
    """Texts of a place in the first reading, and in a cut of its own."""

    area: RescanArea
    before: tuple[str, ...]
    after: tuple[str, ...]


async def rescan_unclear(
    photo_texts: Sequence[PhotoText], card: ProductCard, *, read_text: ReadText
) -> tuple[list[PhotoText], list[Rescan]]:
    """Read an unclear price and size again; return the corrected photo texts, and all rescans."""
    rescanned, rescans = list(photo_texts), []
    # Because kept pictures expire before their texts, a photo may have no pixels.
    areas = [area for area in _areas(Evidence.of(photo_texts, ""), card) if photo_texts[area.photo].jpeg]
    for area in areas[:MOST_RESCANS]:
        photo_text = rescanned[area.photo]
        picture, size, scale = await asyncio.to_thread(_cut, photo_text, area)
        reading = await read_text(picture)
        left, top = _cut_from(area)
        lines = [line.scaled(1 / scale).moved(left, top) for line in reading.lines]
        # Because the first reading had the whole line, a line at the edge of the cut stays.
        whole = BoundingBox(left, top, *(round(side / scale) for side in size))
        replaced = [line for line in photo_text.lines if line.box.overlaps(area.box) and line.box.inside(whole)]
        kept = [line for line in photo_text.lines if line not in replaced]
        seen = [
            line
            for line in lines
            if line.box.overlaps(area.box) and not any(line.box.overlaps(other.box) for other in kept)
        ]
        rescan = Rescan(area, tuple(line.text for line in replaced), tuple(line.text for line in seen))
        rescans.append(rescan)
        if not area.check and seen and _is_better(rescan, min(seen, key=area.distance).text):
            rescanned[area.photo] = replace(photo_text, lines=(*kept, *seen))
    return rescanned, rescans


def with_unsure_price(card: ProductCard, rescans: Sequence[Rescan]) -> ProductCard:
    """Lower the confidence in a price whose two readings differ."""
    price = card.fields.get("price")
    mine = [rescan for rescan in rescans if rescan.area.field == "price"]
    if price is None or not price.confident or price.confidence >= CORROBORATED or not mine:
        return card
    if all(_reads_as(price.value, rescan.before) and _reads_as(price.value, rescan.after) for rescan in mine):
        return card
    unsure = {"price": replace(price, confidence=_DIFFERENT)}
    currency = card.fields.get("currency")
    if currency and currency.confident and currency.photo is None:
        # Because US$ may be read as $, a bare $ is only as sure as its price.
        unsure["currency"] = replace(currency, confidence=_DIFFERENT)
    doubts = (Doubt(DoubtKind.UNSURE, name, (field,)) for name, field in unsure.items())
    return replace(card, fields={**card.fields, **unsure}, doubts=(*card.doubts, *doubts))


def _reads_as(price: str, texts: Sequence[str]) -> bool:
    """Say whether the texts have an amount: in one of them, or in digits and cents that were read apart."""
    wanted = re.sub(r"\D", "", price)
    if any(amount.value == Decimal(price) for text in texts for amount in amounts(text)):
        return True
    digits = [re.sub(r"\D", "", text) for text in texts]
    return wanted in digits or any(first + other == wanted for first, other in permutations(digits, 2))


def _is_better(rescan: Rescan, middle: str) -> bool:
    """Say whether a rescan with this middle line has more text, and no fewer digits of a number."""
    if not _NUMBER.fullmatch(rescan.area.text):
        return True
    more = _digits(middle) - _digits(rescan.area.text)
    return more > 0 or (more == 0 and len("".join(rescan.after)) >= len("".join(rescan.before)))


def _digits(text: str) -> int:
    return sum(sign.isdecimal() for sign in text)


def _areas(evidence: Evidence, card: ProductCard) -> Iterator[RescanArea]:
    price, size = card.fields.get("price"), card.fields.get("size")
    if price is None:
        yield from filter(None, [_largest_number(evidence)])
    elif price.confidence < CORROBORATED and price.photo is not None:
        piece = next((piece for piece in evidence.of_photo(price.photo) if piece.box == price.box), None)
        yield from [_with_cents(piece)._replace(check=price.confident)] if piece else []
    if size is None:
        short = [piece for piece in evidence.pieces if len(piece.text) <= _SHORT and _may_be_size(piece)]
        yield from (RescanArea("size", piece.photo, piece.box, piece.tall, piece.text) for piece in short[:1])


def _largest_number(evidence: Evidence) -> RescanArea | None:
    """Return the likely place of a price: the largest type of a photo, if it has digits."""
    for photo in range(len(evidence.photo_texts)):
        ordered = sorted(evidence.of_photo(photo), key=lambda piece: -piece.tall)
        largest = [piece for piece in ordered[:2] if re.search(r"\d|\$", piece.text)]
        if largest and not sizes(largest[0].text):
            return _with_cents(largest[0])
    return None


def _with_cents(piece: Piece) -> RescanArea:
    """Extend the place of a price by that of small cents."""
    x, y, width, height = piece.box.x, piece.box.y, piece.box.width, piece.box.height
    with_cents = BoundingBox(x, y, width + round(min(width, height) * _CENTS_BESIDE), height)
    return RescanArea("price", piece.photo, with_cents, piece.tall, piece.text)


def _may_be_size(piece: Piece) -> bool:
    return bool(re.fullmatch(r"[\d\s]{1,4}\s?\w{0,3}\.?", piece.text)) and not sizes(piece.text)


def _cut_from(area: RescanArea) -> tuple[int, int]:
    margin = round(area.tall * _MARGIN)
    return area.box.x - margin, area.box.y - margin


def _cut(photo_text: PhotoText, area: RescanArea) -> tuple[bytes, tuple[int, int], float]:
    """Cut the place out, with letters in the best size for OCR; return the JPEG, its size and its scale."""
    with pillow.Image.open(io.BytesIO(photo_text.jpeg)) as picture:
        shown = picture.width / photo_text.width
        left, top = _cut_from(area)
        margin = round(area.tall * _MARGIN)
        right, bottom = area.box.x + area.box.width + margin, area.box.y + area.box.height + margin
        sides = (round(left * shown), round(top * shown), round(right * shown), round(bottom * shown))
        cut = picture.convert("RGB").crop(sides)
    scale = _LETTERS / max(area.tall, 1)
    size = (max(round((right - left) * scale), 16), max(round((bottom - top) * scale), 16))
    written = io.BytesIO()
    cut.resize(size, pillow.Image.Resampling.LANCZOS).save(written, "JPEG", quality=92)
    return written.getvalue(), size, scale

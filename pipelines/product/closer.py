"""A closer look at what wasn't read well: very large type and lone letters are read better in a cut of their own."""

from __future__ import annotations

import asyncio
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from PIL import Image

from pipelines.box import Box
from pipelines.image import Line, ReadText, Sight
from pipelines.product.card import ProductCard
from pipelines.product.evidence import Evidence
from pipelines.product.layout import Piece
from pipelines.product.sizes import sizes

MOST_LOOKS = 2
"""So many more pictures are read for a card at most, whatever its photos are like."""

_LETTERS = 60
_MARGIN = 0.4
_CENTS_BESIDE = 0.8
_SHORT = 8


class Spot(NamedTuple):
    """A place to look at again, with the height of its letters in pixels of the photo, and what was read there."""

    photo: int
    box: Box
    tall: float
    text: str

    def distance(self, line: Line) -> float:
        """Return how far a line's middle is from that of this place."""
        x, y = line.box.x + line.box.width / 2, line.box.y + line.box.height / 2
        return math.dist((x, y), (self.box.x + self.box.width / 2, self.box.y + self.box.height / 2))


async def looked_closer(sights: Sequence[Sight], card: ProductCard, *, read_text: ReadText) -> list[Sight]:
    """Return the sights with what a closer look read of the price and the size; the same ones where all was clear."""
    closer = list(sights)
    for spot in list(_spots(Evidence.of(sights, ""), card))[:MOST_LOOKS]:
        picture, size, scale = await asyncio.to_thread(_cut, closer[spot.photo], spot)
        reading = await read_text(picture)
        left, top = _cut_from(spot)
        lines = [line.scaled(1 / scale).moved(left, top) for line in reading.lines]
        sight = closer[spot.photo]
        # A line that the cut goes through was read whole before.
        whole = Box(left, top, *(round(side / scale) for side in size))
        kept = [line for line in sight.lines if not (line.box.overlaps(spot.box) and line.box.inside(whole))]
        seen = [
            line
            for line in lines
            if line.box.overlaps(spot.box) and not any(line.box.overlaps(other.box) for other in kept)
        ]
        # A look that loses digits is no better one.
        if seen and _digits(min(seen, key=spot.distance).text) >= _digits(spot.text):
            closer[spot.photo] = replace(sight, lines=(*kept, *seen))
    return closer


def _digits(text: str) -> int:
    return sum(sign.isdecimal() for sign in text)


def _spots(evidence: Evidence, card: ProductCard) -> Iterator[Spot]:
    price, size = card.fields.get("price"), card.fields.get("size")
    if price is None:
        yield from filter(None, [_largest_number(evidence)])
    elif not price.confident and price.photo is not None:
        piece = next((piece for piece in evidence.of_photo(price.photo) if piece.box == price.box), None)
        yield from [_with_cents(piece)] if piece else []
    if size is None:
        short = [piece for piece in evidence.pieces if len(piece.text) <= _SHORT and _may_be_size(piece)]
        yield from (Spot(piece.photo, piece.box, piece.tall, piece.text) for piece in short[:1])


def _largest_number(evidence: Evidence) -> Spot | None:
    """Return where a price may stand: the largest type of a photo, if digits are in it."""
    for photo in range(len(evidence.sights)):
        ordered = sorted(evidence.of_photo(photo), key=lambda piece: -piece.tall)
        largest = [piece for piece in ordered[:2] if re.search(r"\d|\$", piece.text)]
        if largest and not sizes(largest[0].text):
            return _with_cents(largest[0])
    return None


def _with_cents(piece: Piece) -> Spot:
    """Return the place of a price and of small cents beside it."""
    x, y, wide, high = piece.box.x, piece.box.y, piece.box.width, piece.box.height
    return Spot(piece.photo, Box(x, y, wide + round(min(wide, high) * _CENTS_BESIDE), high), piece.tall, piece.text)


def _may_be_size(piece: Piece) -> bool:
    return bool(re.fullmatch(r"[\d\s]{1,4}\s?\w{0,3}\.?", piece.text)) and not sizes(piece.text)


def _cut_from(spot: Spot) -> tuple[int, int]:
    margin = round(spot.tall * _MARGIN)
    return spot.box.x - margin, spot.box.y - margin


def _cut(sight: Sight, spot: Spot) -> tuple[bytes, tuple[int, int], float]:
    """Return the place as a JPEG with letters of a size that is read best, and the scale of it to the photo."""
    with Image.open(io.BytesIO(sight.jpeg)) as picture:
        shown = picture.width / sight.width
        left, top = _cut_from(spot)
        margin = round(spot.tall * _MARGIN)
        right, bottom = spot.box.x + spot.box.width + margin, spot.box.y + spot.box.height + margin
        sides = (round(left * shown), round(top * shown), round(right * shown), round(bottom * shown))
        cut = picture.convert("RGB").crop(sides)
    scale = _LETTERS / max(spot.tall, 1)
    size = (max(round((right - left) * scale), 16), max(round((bottom - top) * scale), 16))
    written = io.BytesIO()
    cut.resize(size, Image.Resampling.LANCZOS).save(written, "JPEG", quality=92)
    return written.getvalue(), size, scale

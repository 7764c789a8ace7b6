"""Checks the pixels of a price, because OCR reports neither a stroke through it nor smaller cents."""

from __future__ import annotations

import io
import math
from typing import NamedTuple

from pipelines import pillow
from pipelines.image import PhotoText
from pipelines.product.layout import Piece

_TALL = 48
_LONGEST = 24
_STRUCK = 0.95
_BARE = 0.3
_FEWEST_GAPS = 2
_DOT = 0.35
SMALLER = 0.78
_CENTS_WIDE = 1.0


class Glyph(NamedTuple):
    """Bounds of a letter in a strip of `_TALL` rows."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def tall(self) -> int:
        return self.bottom - self.top


def strip_of(photo_text: PhotoText, piece: Piece, *, beyond: float = 0.0) -> pillow.Image.Image:
    """Cut a line out of its photo, turned level, white on black, and `_TALL` pixels high.

    `beyond` extends the strip to the right by so many times its height.
    """
    with pillow.Image.open(io.BytesIO(photo_text.jpeg)) as picture:
        gray = picture.convert("L")
    scale = gray.width / photo_text.width
    box = piece.box
    corners = piece.corners or (
        (box.x, box.y),
        (box.x + box.width, box.y),
        (box.x + box.width, box.y + box.height),
        (box.x, box.y + box.height),
    )
    a, b, c, d = ((x * scale, y * scale) for x, y in corners)
    if math.dist(b, c) > math.dist(a, b) and len(piece.text) > 1:  # on its side, reading upwards
        a, b, c, d = d, a, b, c
    tall, long = (math.dist(b, c) + math.dist(a, d)) / 2 or 1, math.dist(a, b) or 1
    ahead = beyond * tall / long
    b, c = (
        (b[0] + (b[0] - a[0]) * ahead, b[1] + (b[1] - a[1]) * ahead),
        (c[0] + (c[0] - d[0]) * ahead, c[1] + (c[1] - d[1]) * ahead),
    )
    wide = round(min(max(math.dist(a, b) / (math.dist(b, c) or 1), 0.5), _LONGEST) * _TALL)
    # QUAD takes the corners from the top left against the clock.
    strip = gray.transform(
        (wide, _TALL), pillow.Image.Transform.QUAD, (*a, *d, *c, *b), pillow.Image.Resampling.BICUBIC
    )
    return _binarized(strip)


def glyphs(strip: pillow.Image.Image) -> list[Glyph]:
    """Return the letters of a strip from left to right, without dots and specks."""
    columns = strip.resize((strip.width, 1), pillow.Image.Resampling.BOX).tobytes()
    found, start = [], None
    for column, darkness in enumerate((*columns, 0)):
        is_printed = darkness > 255 * 1.5 / _TALL
        if is_printed and start is None:
            start = column
        elif not is_printed and start is not None:
            bounds = strip.crop((start, 0, column, _TALL)).getbbox()
            if bounds and bounds[3] - bounds[1] >= _TALL * _DOT:
                found.append(Glyph(start, bounds[1], column, bounds[3]))
            start = None
    return found


def is_struck_through(photo_text: PhotoText, piece: Piece) -> bool:
    """Say whether one stroke, level or slanted, crosses the line and the gaps between its letters."""
    strip = strip_of(photo_text, piece)
    pixels, width = strip.tobytes(), strip.width
    left, right = round(width * 0.06), round(width * 0.94)
    columns = strip.resize((width, 1), pillow.Image.Resampling.BOX).tobytes()
    bare = [darkness < 255 * _BARE for darkness in columns]
    ends = range(round(_TALL * 0.08), round(_TALL * 0.92), 2)
    for start in ends:
        for end in ends:
            # A stroke away from the middle is the frame of a tag, or an underline.
            if _TALL * 0.3 < (start + end) / 2 < _TALL * 0.7 and _runs(pixels, bare, (left, start), (right, end)):
                return True
    return False


def _runs(pixels: bytes, bare: list[bool], start: tuple[int, int], end: tuple[int, int]) -> bool:
    """Say whether printed pixels run along a line, and through at least two gaps between letters."""
    (left, top), (right, bottom), width = start, end, len(bare)
    missed = gaps = 0
    for column in range(left, right):
        at = (top + (bottom - top) * (column - left) // (right - left)) * width + column
        if not (pixels[at] or pixels[at - width] or pixels[at + width]):
            missed += 1
            if missed > (right - left) * (1 - _STRUCK):
                return False
        elif bare[column] and not bare[column - 1]:
            gaps += 1
    return gaps >= _FEWEST_GAPS


def has_small_cents(photo_text: PhotoText, piece: Piece) -> bool | None:
    """Say whether the last two digits are smaller than those before; None if the letters can't be separated."""
    strip = strip_of(photo_text, piece)
    found = glyphs(strip)
    letters = [letter for letter in piece.text if letter.isalnum() or letter in "$€"]
    if len(found) != len(letters) or len(found) < 3:  # noqa: PLR2004 -- a digit and two of cents
        return None
    *head, tens, ones = found
    digits = [glyph for glyph, letter in zip(head, letters, strict=False) if letter.isdigit()]
    if not digits:
        return None
    tall = max(glyph.tall for glyph in digits)
    if max(tens.tall, ones.tall) <= tall * SMALLER:
        return True
    return False if min(tens.tall, ones.tall) >= tall * 0.9 else None


def has_unread_cents(photo_text: PhotoText, piece: Piece) -> bool:
    """Say whether smaller letters follow a price in its upper half, which are cents that weren't read."""
    strip = strip_of(photo_text, piece, beyond=_CENTS_WIDE)
    level = piece.wide / (piece.wide + _CENTS_WIDE * piece.tall)
    after = [glyph for glyph in glyphs(strip) if glyph.left >= strip.width * level * 0.97 and glyph.right < strip.width]
    return any(
        glyph.top < _TALL * 0.4 and glyph.tall < _TALL * SMALLER and glyph.tall > glyph.right - glyph.left
        for glyph in after
    )


def _binarized(strip: pillow.Image.Image) -> pillow.Image.Image:
    """Separate print from paper at the best threshold (Otsu 1979); print is the smaller share of pixels."""
    histogram = strip.histogram()
    total, mean = sum(histogram), sum(level * count for level, count in enumerate(histogram))
    below = weight = best = 0.0
    limit = 127
    for level, count in enumerate(histogram):
        weight += count
        below += level * count
        if weight in (0, total):
            continue
        between = (mean * weight - below * total) ** 2 / (weight * (total - weight))
        if between > best:
            best, limit = between, level
    dark = strip.point([255 if level <= limit else 0 for level in range(256)])
    is_printed = dark.histogram()[255]
    return dark if is_printed * 2 <= total else dark.point([255 - level for level in range(256)])

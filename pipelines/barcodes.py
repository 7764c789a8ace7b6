"""Decodes barcodes and QR codes in photos, also in tilted, soft or large ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipelines import pillow
from pipelines.bounding_box import BoundingBox

_SIDE = 1600
_SIDE_TILTED = 1000
# Because the decoder follows no 1D code at 30 to 60 degrees, we turn the photo: it reads 84% of tilted ones, not 52%.
_TILTS = (45, 22, -22)
_CHECKED = (
    *("EAN13", "EAN8", "UPCA", "Code128", "ITF14", "DataBarOmni", "DataBarExp", "QRCode", "DataMatrix"),
    *("PDF417", "Aztec"),
)
# These are short or unchecked: in sharpened pictures the decoder finds some that are not there.
_WEAK = ("UPCE", "Code39", "Code93", "Codabar", "ITF")
# Without a check digit, a few bars of anything pass for fewer letters than these.
_LEAST_LETTERS = {"Code 39": 4, "Code 93": 4, "Codabar": 6, "ITF": 8}
_LENGTH_OF_ITF14 = 14
# Because of fog, shadow and reflections, a bar is dark if it is this much darker than the pixels around it.
_AROUND, _CONTRAST = 20, 0.15
_LOGARITHM = [round(255 * math.log1p(value) / math.log(256)) for value in range(256)]
_GTIN_FORMATS = ("EAN-13", "EAN-8", "UPC-A", "UPC-E", "ITF-14")
# Digits in these are a number of the shop, even with a right check digit.
_OF_NO_PRODUCT = ("Code 39", "Code 93", "Codabar", "PDF417", "Aztec")


@dataclass(frozen=True, slots=True)
class Barcode:
    """A decoded code: `format` such as EAN-13, UPC-A, QR Code; `box` in pixels of the picture given."""

    format: str
    value: str
    box: BoundingBox

    @property
    def may_be_gtin(self) -> bool:
        """Whether plain digits in this kind of bars can be the number of a product."""
        return self.format not in _OF_NO_PRODUCT and not _is_unchecked(self)


def decode(picture: pillow.Image.Image) -> tuple[Barcode, ...]:
    """Read every code in the picture; costly variants are tried only while nothing was found."""
    gray = picture.convert("L")
    unchecked: list[Barcode] = []
    for variant, tilt, formats in _variants(gray):
        transform = _Transform(variant.size, gray.size, tilt)
        found = [barcode for code in _read(variant, formats) if (barcode := _barcode(code, transform))]
        # Because an unchecked code may hide one that names a product, the search goes on.
        if not all(map(_is_unchecked, found)):
            return _without_overlaps((*found, *unchecked))
        unchecked = unchecked or found
    return _without_overlaps(unchecked)


def is_gtin(digits: str) -> bool:
    """Say whether EAN-8, UPC-A, EAN-13 or ITF-14 digits end in their check digit (GS1 General Specifications 7.9)."""
    if not (digits.isascii() and digits.isdecimal()) or len(digits) not in (8, 12, 13, 14):
        return False
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return weighted % 10 == 0


def _variants(gray: pillow.Image.Image) -> Iterator[tuple[pillow.Image.Image, int, tuple[str, ...]]]:
    """Yield variants, cheapest first: reduced, as it is, in other light, then tilted, doubled and sharpened."""
    reduced = _within(gray, _SIDE)
    yield reduced, 0, _CHECKED + _WEAK
    if reduced.size != gray.size:
        yield gray, 0, _CHECKED + _WEAK
    for lit in _relit(reduced):
        yield lit, 0, _CHECKED + _WEAK[1:]
    small = _within(gray, _SIDE_TILTED)
    for tilt in _TILTS:
        tilted = small.rotate(tilt, resample=pillow.Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        doubled = tilted.resize((tilted.width * 2, tilted.height * 2), pillow.Image.Resampling.BICUBIC)
        yield doubled.filter(pillow.ImageFilter.UnsharpMask(radius=3, percent=150, threshold=0)), tilt, _CHECKED


def _relit(gray: pillow.Image.Image) -> Iterator[pillow.Image.Image]:
    """Even out fog, shadows and reflections, and turn bars that are lighter than their ground."""
    soft = gray.filter(pillow.ImageFilter.BoxBlur(1))
    even = _evened(soft)
    yield even
    yield pillow.ImageOps.invert(even)
    yield _evened(soft.point(_LOGARITHM))


def _evened(gray: pillow.Image.Image) -> pillow.Image.Image:
    return pillow.ImageChops.subtract(
        gray, gray.filter(pillow.ImageFilter.BoxBlur(_AROUND)), scale=_CONTRAST, offset=128
    )


def _is_unchecked(code: Barcode) -> bool:
    return code.format in _LEAST_LETTERS and not (code.format == "ITF" and len(code.value) == _LENGTH_OF_ITF14)


def _without_overlaps(codes: Iterable[Barcode]) -> tuple[Barcode, ...]:
    """Keep one code in a place, a checked one first, because a few bars can pass for another code."""
    kept: list[Barcode] = []
    for code in sorted(codes, key=lambda code: (_is_unchecked(code), -code.box.width * code.box.height)):
        if not any(code.value == other.value or code.box.overlaps(other.box) for other in kept):
            kept.append(code)
    return tuple(kept)


def _within(picture: pillow.Image.Image, side: int) -> pillow.Image.Image:
    copy = picture.copy()
    copy.thumbnail((side, side), pillow.Image.Resampling.LANCZOS)
    return copy


def _read(variant: pillow.Image.Image, formats: Iterable[str]) -> list[Any]:
    import zxingcpp  # noqa: PLC0415 -- a library of several megabytes that only the worker needs

    found = zxingcpp.read_barcodes(variant, formats=zxingcpp.barcode_formats_from_str(",".join(formats)))
    return [code for code in found if code.valid and code.text]


def _barcode(code: Any, transform: _Transform) -> Barcode | None:
    name, value = str(code.format), code.text
    if name in _GTIN_FORMATS and not is_gtin(value):
        return None
    if len(value) < _LEAST_LETTERS.get(name, 0):
        return None
    if name in ("EAN-13", "UPC-E", "UPC-A") and len(value) == 13 and value.startswith("0"):  # noqa: PLR2004 -- EAN-13
        # In North America these twelve digits are printed: UPC-A is an EAN-13 with a leading zero.
        name, value = "UPC-A" if name == "EAN-13" else name, value[1:]
    corners = code.position
    places = (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left)
    return Barcode(name, value, BoundingBox.around(transform.original_point(place.x, place.y) for place in places))


@dataclass(frozen=True, slots=True)
class _Transform:
    """Maps points of a turned and enlarged picture back to the original."""

    size: tuple[int, int]
    original: tuple[int, int]
    tilt: int

    def original_point(self, x: float, y: float) -> tuple[float, float]:
        width, height = self.original
        cosine, sine = math.cos(math.radians(self.tilt)), math.sin(math.radians(self.tilt))
        # Because a turned picture grows to hold its corners, the rest of the difference is the scale.
        scale = self.size[0] / (width * abs(cosine) + height * abs(sine))
        right, down = (x - self.size[0] / 2) / scale, (y - self.size[1] / 2) / scale
        return width / 2 + cosine * right - sine * down, height / 2 + sine * right + cosine * down

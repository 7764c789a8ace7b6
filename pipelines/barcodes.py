"""The numbers on a package: barcodes and QR codes, also where the photo is tilted, soft or too large."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageFilter

from pipelines.box import Box

_SIDE = 1600
_SIDE_TILTED = 1000
# Lines of a 1D code can't be followed at 30 to 60 degrees: 52% of tilted photos are read without these, 84% with.
_TILTS = (45, 22, -22)
_PRODUCTS = ("EAN13", "EAN8", "UPCA", "Code128", "ITF14", "DataBarOmni", "DataBarExp", "QRCode", "DataMatrix")
# UPC-E is short and weakly checked: in sharpened pictures it is seen where there is none.
_WEAK = ("UPCE",)
_GTIN_FORMATS = ("EAN-13", "EAN-8", "UPC-A", "UPC-E", "ITF-14")


@dataclass(frozen=True, slots=True)
class Barcode:
    """A code that was read: `format` such as EAN-13, UPC-A, QR Code; `box` in pixels of the picture given."""

    format: str
    value: str
    box: Box


def decode(picture: Image.Image) -> tuple[Barcode, ...]:
    """Read every code in the picture; the costly looks are taken only while nothing was found."""
    gray = picture.convert("L")
    for look, tilt, formats in _looks(gray):
        found = _read(look, formats)
        if found:
            back = _Way(look.size, gray.size, tilt)
            return _apart(filter(None, (_barcode(code, back) for code in found)))
    return ()


def is_gtin(digits: str) -> bool:
    """Say whether EAN-8, UPC-A, EAN-13 or ITF-14 digits end in their check digit (GS1 General Specifications 7.9)."""
    if not (digits.isascii() and digits.isdecimal()) or len(digits) not in (8, 12, 13, 14):
        return False
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return weighted % 10 == 0


def _looks(gray: Image.Image) -> Iterator[tuple[Image.Image, int, tuple[str, ...]]]:
    """Yield pictures to try, cheapest first: reduced, as it is, then tilted, doubled and sharpened."""
    reduced = _within(gray, _SIDE)
    yield reduced, 0, _PRODUCTS + _WEAK
    if reduced.size != gray.size:
        yield gray, 0, _PRODUCTS + _WEAK
    small = _within(gray, _SIDE_TILTED)
    for tilt in _TILTS:
        tilted = small.rotate(tilt, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        doubled = tilted.resize((tilted.width * 2, tilted.height * 2), Image.Resampling.BICUBIC)
        yield doubled.filter(ImageFilter.UnsharpMask(radius=3, percent=150, threshold=0)), tilt, _PRODUCTS


def _apart(codes: Iterable[Barcode]) -> tuple[Barcode, ...]:
    """Leave one code in a place: a line or two of some bars can pass for another code, with a right check digit."""
    kept: list[Barcode] = []
    for code in sorted(codes, key=lambda code: -code.box.width * code.box.height):
        if not any(code.value == other.value or code.box.overlaps(other.box) for other in kept):
            kept.append(code)
    return tuple(kept)


def _within(picture: Image.Image, side: int) -> Image.Image:
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    return copy


def _read(look: Image.Image, formats: Iterable[str]) -> list[Any]:
    import zxingcpp  # noqa: PLC0415 -- a library of several megabytes that only the worker needs

    found = zxingcpp.read_barcodes(look, formats=zxingcpp.barcode_formats_from_str(",".join(formats)))
    return [code for code in found if code.valid and code.text]


def _barcode(code: Any, back: "_Way") -> Barcode | None:
    name, value = str(code.format), code.text
    if name in _GTIN_FORMATS and not is_gtin(value):
        return None
    if name in ("EAN-13", "UPC-E", "UPC-A") and len(value) == 13 and value.startswith("0"):  # noqa: PLR2004 -- EAN-13
        # In North America these twelve digits are printed: UPC-A is an EAN-13 with a leading zero.
        name, value = "UPC-A" if name == "EAN-13" else name, value[1:]
    corners = code.position
    places = (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left)
    return Barcode(name, value, Box.around(back.point(place.x, place.y) for place in places))


@dataclass(frozen=True, slots=True)
class _Way:
    """The way back from a point of a turned and enlarged picture to the picture that was given."""

    size: tuple[int, int]
    original: tuple[int, int]
    tilt: int

    def point(self, x: float, y: float) -> tuple[float, float]:
        width, height = self.original
        cosine, sine = math.cos(math.radians(self.tilt)), math.sin(math.radians(self.tilt))
        # A turned picture grows to hold its corners; the scale is what is left of the difference.
        scale = self.size[0] / (width * abs(cosine) + height * abs(sine))
        right, down = (x - self.size[0] / 2) / scale, (y - self.size[1] / 2) / scale
        return width / 2 + cosine * right - sine * down, height / 2 + sine * right + cosine * down

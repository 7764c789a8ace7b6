"""Reads a photo: printed text, labels, barcodes, and an upright copy for models."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from pipelines import barcodes, photo_decoder
from pipelines.barcodes import Barcode
from pipelines.bounding_box import BoundingBox
from pipelines.photo_decoder import jpeg, upright
from pipelines.truncation import LONGEST_LINE, LONGEST_PRINT, MOST_LINES, truncated

__all__ = ["Barcode", "BoundingBox", "PhotoText", "ReadText", "Reading", "TextLine", "read_photo"]

# Beyond these sides text is read no better and models reduce the picture themselves.
SIDE_TO_READ = 2000
SIDE_FOR_MODELS = 1568


@dataclass(frozen=True, slots=True)
class TextLine:
    """A printed line, with a confidence of 0 to 1; `corners`, where they are known, clockwise from where it begins."""

    text: str
    confidence: float
    box: BoundingBox
    corners: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text[:LONGEST_LINE])

    def scaled(self, factor: float) -> "TextLine":
        """Return the same line in a picture that is `factor` times as large."""
        corners = tuple((x * factor, y * factor) for x, y in self.corners)
        return replace(self, box=self.box.scaled(factor), corners=corners)

    def moved(self, right: int, down: int) -> "TextLine":
        """Return the same line in a picture that this one was cut from, so far from its top left corner."""
        corners = tuple((x + right, y + down) for x, y in self.corners)
        return replace(self, box=replace(self.box, x=self.box.x + right, y=self.box.y + down), corners=corners)


@dataclass(frozen=True, slots=True)
class Reading:
    """Result of an OCR engine: all text, its lines in reading order, and labels of the picture."""

    text: str
    lines: tuple[TextLine, ...] = ()
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", truncated(self.text))
        lines = self.lines[:MOST_LINES]
        ends = accumulate(len(line.text) for line in lines)
        within = tuple(line for line, end in zip(lines, ends, strict=True) if end <= LONGEST_PRINT)
        object.__setattr__(self, "lines", within)


ReadText = Callable[[bytes], Awaitable[Reading]]
"""Reads an upright JPEG; boxes of its lines are in that JPEG's pixels."""


@dataclass(frozen=True, slots=True)
class PhotoText:
    """Text and codes of a photo; sizes and boxes in pixels of the photo turned upright, `jpeg` for models."""

    width: int
    height: int
    text: str
    lines: tuple[TextLine, ...]
    labels: tuple[str, ...]
    barcodes: tuple[Barcode, ...]
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class _Prepared:
    width: int
    height: int
    barcodes: tuple[Barcode, ...]
    to_read: bytes
    for_models: bytes


async def read_photo(photo: bytes, *, read_text: ReadText | None) -> PhotoText:
    """Read a photo. Raises FileRefused; errors of `read_text` pass through."""
    prepared = await photo_decoder.decoded(photo, _prepare)
    reading = await read_text(prepared.to_read) if read_text else Reading("")
    scale = max(1.0, max(prepared.width, prepared.height) / SIDE_TO_READ)
    lines = tuple(line.scaled(scale) for line in reading.lines)
    return PhotoText(
        *(prepared.width, prepared.height, reading.text, lines, reading.labels),
        *(prepared.barcodes, prepared.for_models),
    )


async def for_models(photo: bytes) -> bytes:
    """The photo as `read_photo` gives it to a model. Raises FileRefused."""
    return await photo_decoder.decoded(photo, _for_models)


def _for_models(photo: Path) -> bytes:
    """Run in the process that decodes photos."""
    picture, _ = upright(photo)
    return jpeg(picture, SIDE_FOR_MODELS)


def _prepare(photo: Path) -> _Prepared:
    """Run in the process that decodes photos."""
    picture, (width, height) = upright(photo)
    scale = width / picture.width
    codes = tuple(replace(code, box=code.box.scaled(scale)) for code in barcodes.decode(picture))
    return _Prepared(width, height, codes, jpeg(picture, SIDE_TO_READ), jpeg(picture, SIDE_FOR_MODELS))

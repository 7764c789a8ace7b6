"""A photo as facts: upright, its printed text, what it shows, its barcodes, and a small copy for a model to look at."""

import asyncio
import io
import os
import struct
import zlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import accumulate

from PIL import Image, ImageOps, UnidentifiedImageError

from pipelines import barcodes, sniff
from pipelines.barcodes import Barcode
from pipelines.box import Box
from pipelines.refusals import Reason, Refusal
from pipelines.truncation import LONGEST_LINE, LONGEST_PRINT, MOST_LINES, truncated

__all__ = ["Barcode", "Box", "Line", "ReadText", "Reading", "Sight", "look", "upright"]

LARGEST_BYTES = 50 * 1024 * 1024
MOST_PIXELS = 60_000_000
# Beyond these sides text is read no better and models reduce the picture themselves.
SIDE_TO_READ = 2000
SIDE_FOR_MODELS = 1568
_SIDE_DECODED = 2048
# Of its own and no more than there are cores: a large photo takes hundreds of megabytes while it is decoded.
_THREADS = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="photo")
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
# What Pillow is known to raise on broken files, beside its own errors.
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line, with a confidence of 0 to 1; `corners`, where they are known, clockwise from where it begins."""

    text: str
    confidence: float
    box: Box
    corners: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text[:LONGEST_LINE])

    def scaled(self, factor: float) -> "Line":
        """Return the same line in a picture that is `factor` times as large."""
        corners = tuple((x * factor, y * factor) for x, y in self.corners)
        return replace(self, box=self.box.scaled(factor), corners=corners)

    def moved(self, right: int, down: int) -> "Line":
        """Return the same line in a picture that this one was cut from, so far from its top left corner."""
        corners = tuple((x + right, y + down) for x, y in self.corners)
        return replace(self, box=replace(self.box, x=self.box.x + right, y=self.box.y + down), corners=corners)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine read: all text, its lines in reading order, and words for what the picture shows."""

    text: str
    lines: tuple[Line, ...] = ()
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
class Sight:
    """What a photo shows; `width`, `height` and all boxes in pixels of the photo turned upright, `jpeg` for models."""

    width: int
    height: int
    text: str
    lines: tuple[Line, ...]
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


async def look(photo: bytes, *, read_text: ReadText | None) -> Sight:
    """See what is in a photo. Raises Refusal; errors of `read_text` pass through."""
    prepared = await asyncio.get_running_loop().run_in_executor(_THREADS, _prepare, photo)
    reading = await read_text(prepared.to_read) if read_text else Reading("")
    scale = max(1.0, max(prepared.width, prepared.height) / SIDE_TO_READ)
    lines = tuple(line.scaled(scale) for line in reading.lines)
    return Sight(
        *(prepared.width, prepared.height, reading.text, lines, reading.labels),
        *(prepared.barcodes, prepared.for_models),
    )


def upright(photo: bytes) -> tuple[Image.Image, tuple[int, int]]:
    """Decode a photo as it was held, flat on white, and the size it has in full: large JPEGs are decoded reduced."""
    signature = sniff.signature_of(photo)
    if signature is None or signature.kind != "image":
        raise Refusal(Reason.EMPTY if not photo else Reason.NOT_AN_IMAGE, signature.format if signature else "unknown")
    if len(photo) > LARGEST_BYTES:
        raise Refusal(Reason.TOO_LARGE, f"{len(photo)} bytes")
    try:
        with Image.open(io.BytesIO(photo), formats=_FORMATS) as opened:
            return _decoded(opened)
    except UnidentifiedImageError as error:
        known = signature.format.upper() in _FORMATS
        raise Refusal(Reason.DAMAGED if known else Reason.UNREADABLE_FORMAT, signature.format) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refusal(Reason.BOMB, "far too many pixels") from error
    except _BROKEN as error:
        raise Refusal(Reason.DAMAGED, f"{signature.format} can't be decoded") from error


def jpeg(picture: Image.Image, side: int) -> bytes:
    """Encode without metadata, the longest side at most `side` pixels."""
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    copy.save(written, "JPEG", quality=85, exif=b"")
    return written.getvalue()


def _prepare(photo: bytes) -> _Prepared:
    picture, (width, height) = upright(photo)
    scale = width / picture.width
    codes = tuple(replace(code, box=code.box.scaled(scale)) for code in barcodes.decode(picture))
    return _Prepared(width, height, codes, jpeg(picture, SIDE_TO_READ), jpeg(picture, SIDE_FOR_MODELS))


def _decoded(opened: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    width, height = opened.size
    if width * height > MOST_PIXELS:
        raise Refusal(Reason.BOMB, f"{width}x{height} pixels")
    opened.draft("RGB", (_SIDE_DECODED, _SIDE_DECODED))
    # What can't be decoded reduced is reduced at once: every copy of it would take its size again.
    opened.thumbnail((2 * _SIDE_DECODED, 2 * _SIDE_DECODED))
    turned = ImageOps.exif_transpose(opened)
    size = (height, width) if (turned.width < turned.height) != (width < height) else (width, height)
    if not turned.has_transparency_data:
        return _bare(turned.convert("RGB")), size
    layered = turned.convert("RGBA")
    flat = Image.new("RGB", layered.size, "white")
    flat.paste(layered, mask=layered.getchannel("A"))
    return flat, size


def _bare(picture: Image.Image) -> Image.Image:
    """Drop what came with the file: colour profiles and comments would be written into the copies."""
    picture.info.clear()
    return picture

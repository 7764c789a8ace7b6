"""Decodes photos in a separate process. Before that, each reserves the memory that its header says it needs."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pipelines import file_type, pillow
from pipelines.byte_budget import MEMORY_FOR_DECODING, for_decoding
from pipelines.errors import FileProblem, FileRefused
from pipelines.isolated_process import IsolatedProcess, limited
from pipelines.spool import spooled

T = TypeVar("T")

LARGEST_BYTES = 50 * 1024 * 1024
MOST_PIXELS = 60_000_000
SECONDS_A_PHOTO = 20.0
_SIDE_DECODED = 2048
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
# Pillow takes four bytes a pixel for colours.
_BYTES_A_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
_AVERAGED = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr")
# Memory of the two copies, for photos of any size.
_BESIDES = 16 * 1024 * 1024
# Decoding of codes takes up to 75 MB more, also for small photos, because its variants have fixed sizes.
_FOR_CODES = 96 * 1024 * 1024
# The libraries take 70 MB of data before any photo.
_MEMORY = MEMORY_FOR_DECODING + _FOR_CODES + 80 * 1024 * 1024
_PROCESS = IsolatedProcess(memory=_MEMORY, tasks=500)
# Pillow raises these on broken files, beside its own errors.
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError, struct.error, zlib.error)


async def decoded(photo: bytes, work: Callable[[Path], T]) -> T:
    """Run `work`, a module's function, on the photo's file in the process that decodes photos. Raises FileRefused."""
    _signature(photo)
    if len(photo) > LARGEST_BYTES:
        raise FileRefused(FileProblem.TOO_LARGE, f"{len(photo)} bytes")
    async with spooled(photo) as path:
        memory = await _PROCESS.run(_within, _BESIDES, memory_for, path, seconds=SECONDS_A_PHOTO)
        async with for_decoding().reserved(memory):
            return await _PROCESS.run(_within, memory + _FOR_CODES, work, path, seconds=SECONDS_A_PHOTO)


def _within(memory: int, work: Callable[[Path], T], photo: Path) -> T:
    """Run in the process; a file that takes more than its header says, such as one huge tile, is refused."""
    with limited(memory):
        return work(photo)


def memory_for(photo: Path) -> int:
    """Say by its header how many bytes the decoding of a photo takes; raises FileRefused, also beyond the budget."""
    return _opened(photo, _memory_for)


def upright(photo: Path) -> tuple[pillow.Image.Image, tuple[int, int]]:
    """Decode a photo upright and flat on white, with its full size: large JPEGs are decoded reduced."""
    return _opened(photo, _decoded)


def jpeg(picture: pillow.Image.Image, side: int) -> bytes:
    """Encode without metadata, the longest side at most `side` pixels."""
    copy = picture
    if max(picture.size) > side:
        scale = side / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        copy = picture.resize(size, pillow.Image.Resampling.LANCZOS, reducing_gap=2.0)
    written = io.BytesIO()
    copy.save(written, "JPEG", quality=85, exif=b"")
    return written.getvalue()


def _signature(head: bytes) -> file_type.FileSignature:
    signature = file_type.signature_of(head)
    if signature is None or signature.kind != "image":
        raise FileRefused(
            FileProblem.EMPTY if not head else FileProblem.NOT_AN_IMAGE, signature.format if signature else "unknown"
        )
    return signature


def _opened(photo: Path, use: Callable[[pillow.Image.Image], T]) -> T:
    with photo.open("rb") as file:
        signature = _signature(file.read(file_type.LOOKED_AT))
        file.seek(0)
        try:
            with pillow.Image.open(file, formats=_FORMATS) as opened:
                return use(opened)
        except pillow.UnidentifiedImageError as error:
            known = signature.format.upper() in _FORMATS
            raise FileRefused(
                FileProblem.DAMAGED if known else FileProblem.UNREADABLE_FORMAT, signature.format
            ) from error
        except (pillow.Image.DecompressionBombError, pillow.Image.DecompressionBombWarning) as error:
            raise FileRefused(FileProblem.BOMB, "far too many pixels") from error
        except _BROKEN as error:
            raise FileRefused(FileProblem.DAMAGED, f"{signature.format} can't be decoded") from error


def _memory_for(opened: pillow.Image.Image) -> int:
    width, height = opened.size
    if width * height > MOST_PIXELS:
        raise FileRefused(FileProblem.BOMB, f"{width}x{height} pixels")
    # A progressive JPEG keeps coefficients of all pixels to the end, in two bytes each.
    kept = 2 * width * height * len(opened.getbands()) if opened.info.get("progressive") else 0
    opened.draft("RGB", (_SIDE_DECODED, _SIDE_DECODED))
    whole = opened.width * opened.height * _BYTES_A_PIXEL.get(opened.mode, 4)
    # The decoder of WebP keeps a canvas and the frame before.
    whole *= 3 if opened.format == "WEBP" else 1
    reduced = opened.width * opened.height * 4 // _reduction(opened) ** 2
    memory = kept + max(whole + reduced, 2 * reduced) + _BESIDES
    if memory > MEMORY_FOR_DECODING:
        raise FileRefused(FileProblem.BOMB, f"{width}x{height} pixels take {memory} bytes")
    return memory


def _reduction(picture: pillow.Image.Image) -> int:
    return -(-max(picture.size) // (2 * _SIDE_DECODED))


def _decoded(opened: pillow.Image.Image) -> tuple[pillow.Image.Image, tuple[int, int]]:
    width, height = opened.size
    _memory_for(opened)
    opened.load()
    picture, by = opened, _reduction(opened)
    if by > 1:
        # Because every further copy would take the full size, a picture that was decoded in full is reduced at once.
        size = (max(1, opened.width // by), max(1, opened.height // by))
        picture = (
            opened.reduce(by) if opened.mode in _AVERAGED else opened.resize(size, pillow.Image.Resampling.NEAREST)
        )
        opened.close()
    pillow.ImageOps.exif_transpose(picture, in_place=True)
    size = (height, width) if (picture.width < picture.height) != (width < height) else (width, height)
    if not picture.has_transparency_data:
        return _bare(picture if picture.mode == "RGB" else picture.convert("RGB")), size
    layered = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    flat = pillow.Image.new("RGB", layered.size, "white")
    flat.paste(layered, mask=layered.getchannel("A"))
    return flat, size


def _bare(picture: pillow.Image.Image) -> pillow.Image.Image:
    """Drop colour profiles and comments, because the copies would contain them."""
    picture.info.clear()
    return picture

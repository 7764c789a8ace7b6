"""Reads photos on this machine by rapidocr, in a process of its own because it takes 500 MB."""

import functools
import importlib.util
import io
import math
from statistics import median
from typing import Any, NamedTuple

from PIL import Image, ImageOps

from pipelines.bounding_box import BoundingBox
from pipelines.image import Reading, TextLine
from pipelines.isolated_process import IsolatedProcess

SECONDS_A_PHOTO = 20.0
# The usual need is 500 MB, with the library and its models.
_MEMORY = 1536 * 1024 * 1024
_SURE_ENOUGH = 0.5
# Lines are found in a copy of this size and read in the photo itself. A larger copy takes twice the memory and shows no
# more lines. Small photos are enlarged, because thin letters would be lost.
_SIDE_TO_FIND_LINES = 1280
_SMALLEST_SIDE = 736
_MOST_GROWTH = 4.0


class EngineMissing(Exception):
    """The extra that reads photos on this machine isn't installed: `pip install 'recado[ocr]'`."""


class LocalReader:
    """An engine for `pipelines.image.read_photo`; the first photo waits two seconds for it to start."""

    def __init__(self, *, seconds: float = SECONDS_A_PHOTO) -> None:
        self._seconds = seconds
        self._process = IsolatedProcess(memory=_MEMORY)

    async def read(self, jpeg: bytes) -> Reading:
        """Read the printed lines of a photo. Raises EngineMissing, or FileRefused if the photo hangs or breaks it."""
        if not (importlib.util.find_spec("rapidocr") and importlib.util.find_spec("onnxruntime")):
            raise EngineMissing("photos can't be read on this machine: pip install 'recado[ocr]'")
        found = await self._process.run(_found, jpeg, seconds=self._seconds)
        rows = _rows([piece for piece in found if piece.confidence >= _SURE_ENOUGH])
        return Reading(
            text="\n".join("  ".join(piece.text for piece in row) for row in rows),
            lines=tuple(_line(piece) for row in rows for piece in row),
        )

    async def close(self) -> None:
        """End the process."""
        await self._process.close()


class _Piece(NamedTuple):
    """Text in one place; corners from the top left, clockwise."""

    text: str
    confidence: float
    corners: tuple[tuple[float, float], ...]


def _line(piece: _Piece) -> TextLine:
    return TextLine(piece.text, piece.confidence, BoundingBox.around(piece.corners), piece.corners)


def _found(jpeg: bytes) -> list[_Piece]:
    """Run in the isolated process."""
    import numpy as np  # noqa: PLC0415 -- only in the process of its own

    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(jpeg))).convert("RGB")
    # Because the engine fails on strips, they are extended in black to the right or below.
    shortest = max(*picture.size, 512) // 16
    picture = picture.crop((0, 0, max(picture.width, shortest), max(picture.height, shortest)))
    growth = min(max(1.0, _SMALLEST_SIDE / min(picture.size)), _MOST_GROWTH)
    picture = picture.resize((round(picture.width * growth), round(picture.height * growth)))
    result = _engine()(np.asarray(picture)[:, :, ::-1])  # it takes blue first
    if not result.txts:
        return []
    corners = [tuple((float(x) / growth, float(y) / growth) for x, y in box) for box in result.boxes]
    return [_Piece(*piece) for piece in zip(result.txts, map(float, result.scores), corners, strict=True)]


@functools.cache
def _engine() -> Any:
    from rapidocr import RapidOCR  # noqa: PLC0415 -- only in the process of its own

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Det.limit_type": "max",
            "Det.limit_side_len": _SIDE_TO_FIND_LINES,
            # Because threads of the engine spin while they wait, two take nearly twice the processor time of one.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _rows(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Put pieces in reading order: pieces at the same height are one row, also in a tilted photo."""
    if not pieces:
        return []
    turn = _turn(pieces)
    rows: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: _place(piece, turn)[1]):
        if rows and _is_level(rows[-1][0], piece, turn):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: _place(piece, turn)[0]) for row in rows]


def _turn(pieces: list[_Piece]) -> float:
    """Return the angle of the lines; text on its side is assumed to read upwards."""
    tilt = median(math.atan2(b[1] - a[1], b[0] - a[0]) for a, b, *_ in (piece.corners for piece in pieces))
    tallness = median(math.dist(b, c) / (math.dist(a, b) or 1) for a, b, c, _ in (piece.corners for piece in pieces))
    return tilt - math.pi / 2 if tallness > 1 else tilt


def _place(piece: _Piece, turn: float) -> tuple[float, float]:
    """Return the position of a piece along the lines and down."""
    x, y = (sum(side) / len(piece.corners) for side in zip(*piece.corners, strict=True))
    return x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)


def _is_level(one: _Piece, other: _Piece, turn: float) -> bool:
    letters = min(min(math.dist(a, b), math.dist(b, c)) for a, b, c, _ in (one.corners, other.corners))
    return abs(_place(one, turn)[1] - _place(other, turn)[1]) < letters / 2

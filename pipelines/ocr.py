"""Reads photos on this machine by rapidocr, in a separate process because it takes 500 MB."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import importlib.util
import io
import math
from functools import partial
from statistics import median
from typing import Any, NamedTuple

from pipelines import pillow
from pipelines.bounding_box import BoundingBox
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import Reading, TextLine
from pipelines.isolated_process import IsolatedProcess

SECONDS_A_PHOTO = 20.0
_SECONDS_TO_LOAD = 30.0
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
    """An engine for `pipelines.image.read_photo`; the first photo waits two seconds for it, unless `warm` was called.

    Loading has a time of its own. A cancelled task would kill the process and the loaded engine with it. So the work
    of a caller who gives up goes on, and a second call for the same photo waits for that result.
    """

    def __init__(self, *, seconds: float = SECONDS_A_PHOTO) -> None:
        self._seconds = seconds
        self._process = IsolatedProcess(memory=_MEMORY)
        self._loaded = False
        self._loading: asyncio.Task[None] | None = None
        self._reading: dict[bytes, asyncio.Task[list[_Piece]]] = {}

    async def warm(self) -> None:
        """Load the engine before the first photo. Raises EngineMissing, or FileRefused where it doesn't load."""
        if not (importlib.util.find_spec("rapidocr") and importlib.util.find_spec("onnxruntime")):
            raise EngineMissing("photos can't be read on this machine: pip install 'recado[ocr]'")
        if self._loaded:
            return
        if self._loading is None:
            self._loading = asyncio.create_task(self._process.run(_load, seconds=_SECONDS_TO_LOAD))
            self._loading.add_done_callback(self._load_ended)
        await asyncio.shield(self._loading)

    def _load_ended(self, task: asyncio.Task[None]) -> None:
        self._loading = None
        self._loaded = not task.cancelled() and task.exception() is None

    async def read(self, jpeg: bytes) -> Reading:
        """Read the printed lines of a photo. Raises EngineMissing, or FileRefused if the photo hangs or breaks it."""
        await self.warm()
        found = await self._pieces(jpeg)
        rows = _rows([piece for piece in found if piece.confidence >= _SURE_ENOUGH])
        return Reading(
            text="\n".join("  ".join(piece.text for piece in row) for row in rows),
            lines=tuple(_line(piece) for row in rows for piece in row),
        )

    async def _pieces(self, jpeg: bytes) -> list[_Piece]:
        digest = hashlib.sha256(jpeg).digest()
        task = self._reading.get(digest)
        if task is None:
            task = asyncio.create_task(self._process.run(_found, jpeg, seconds=self._seconds))
            self._reading[digest] = task
            task.add_done_callback(partial(self._read_ended, digest))
        return await asyncio.shield(task)

    def _read_ended(self, digest: bytes, task: asyncio.Task[list[_Piece]]) -> None:
        self._reading.pop(digest, None)
        if task.cancelled() or isinstance(task.exception(), FileRefused):
            # The process may have ended; the next photo loads the engine first.
            self._loaded = False

    async def close(self) -> None:
        """End the process, and the work that nobody waits for."""
        tasks = [*self._reading.values(), *([self._loading] if self._loading else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._process.close()


class _Piece(NamedTuple):
    """Text in one place; corners from the top left, clockwise."""

    text: str
    confidence: float
    corners: tuple[tuple[float, float], ...]


def _line(piece: _Piece) -> TextLine:
    return TextLine(piece.text, piece.confidence, BoundingBox.around(piece.corners), piece.corners)


def _load() -> None:
    """Run in the isolated process."""
    import numpy  # noqa: ICN001, PLC0415, F401 -- only in the process of its own

    _engine()


def _found(jpeg: bytes) -> list[_Piece]:
    """Run in the isolated process."""
    import numpy as np  # noqa: PLC0415 -- only in the process of its own

    picture = pillow.ImageOps.exif_transpose(pillow.Image.open(io.BytesIO(jpeg))).convert("RGB")
    # Because the engine fails on strips, they are extended in black to the right or below.
    shortest = max(*picture.size, 512) // 16
    picture = picture.crop((0, 0, max(picture.width, shortest), max(picture.height, shortest)))
    growth = min(max(1.0, _SMALLEST_SIDE / min(picture.size)), _MOST_GROWTH)
    picture = picture.resize((round(picture.width * growth), round(picture.height * growth)))
    try:
        result = _engine()(np.asarray(picture)[:, :, ::-1])  # it takes blue first
    except Exception as error:  # noqa: BLE001 - the engine raises errors of its own and of its libraries
        raise FileRefused(FileProblem.DAMAGED, f"the engine fails on it ({type(error).__name__})") from None
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


def _is_level(piece: _Piece, other: _Piece, turn: float) -> bool:
    letters = min(min(math.dist(a, b), math.dist(b, c)) for a, b, c, _ in (piece.corners, other.corners))
    return abs(_place(piece, turn)[1] - _place(other, turn)[1]) < letters / 2

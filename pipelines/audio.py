"""How loud sound is, by pydub, piece by piece as it is decoded; where it may be cut; and the pieces of its MP3."""

import asyncio
import functools
import threading
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from pipelines import ffmpeg
from pipelines.ffmpeg import BYTES_A_SAMPLE

RATE = ffmpeg.SPEECH_RATE
_WINDOW_MS = 100
_WINDOW = RATE * _WINDOW_MS // 1000
# A phone held away while somebody speaks gives -35 dBFS and more; room noise in a pocket -60 and less.
_AUDIBLE_DBFS = -50.0
# The shortest word ("sí") fills two windows, a knock on the microphone one.
_FEWEST_AUDIBLE_WINDOWS = 2
_CUT_WITHIN_WINDOWS = 600
# A frame of an MP3 of 16 kHz and 48 kbit/s (MPEG-2, layer III): 36 ms in 216 bytes.
_FRAME_SAMPLES = 576
_FRAME_BYTES = 216
_importing = threading.Lock()


class Stretch(NamedTuple):
    """A stretch of a recording, in windows of a tenth of a second."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        """Return how long it lasts."""
        return (self.end - self.start) * _WINDOW_MS / 1000

    @property
    def mp3_bytes(self) -> int:
        """Return how large its MP3 is."""
        return (_frame(self.end) - _frame(self.start)) * _FRAME_BYTES

    def mp3(self, note: Path) -> bytes:
        """Cut it out of the recording's MP3, of which no more is read."""
        with note.open("rb") as file:
            file.seek(_frame(self.start) * _FRAME_BYTES)
            return file.read(self.mp3_bytes)


def _frame(window: int) -> int:
    return round(window * _WINDOW / _FRAME_SAMPLES)


class Loudness:
    """The levels of a recording, a number for each tenth of a second: its samples are heard and forgotten."""

    def __init__(self) -> None:
        self.levels: list[float] = []
        self.samples = 0
        self._rest = b""

    @property
    def seconds(self) -> float:
        """Return how long it lasted so far."""
        return self.samples / RATE

    async def add(self, piece: bytes) -> None:
        """Take the next 16-bit mono samples at RATE, cut anywhere."""
        self.samples += len(piece) // BYTES_A_SAMPLE
        pending = self._rest + piece
        whole = len(pending) - len(pending) % (_WINDOW * BYTES_A_SAMPLE)
        self._rest = pending[whole:]
        if whole:
            self.levels += await asyncio.to_thread(_levels, pending[:whole])

    async def end(self) -> None:
        """Take the last window too, which is shorter."""
        if len(self._rest) >= BYTES_A_SAMPLE:
            self.levels += _levels(self._rest[: len(self._rest) // BYTES_A_SAMPLE * BYTES_A_SAMPLE])

    def parts(self, longest_seconds: float) -> list[Stretch]:
        """Cut at the quietest moments so that no part lasts longer; without those in which nothing is heard."""
        cuts = _cuts(self.levels, int(longest_seconds * 1000) // _WINDOW_MS)
        return [
            Stretch(start, end)
            for start, end in pairwise(cuts)
            if sum(level > _AUDIBLE_DBFS for level in self.levels[start:end]) >= _FEWEST_AUDIBLE_WINDOWS
        ]


def _levels(samples: bytes) -> list[float]:
    segment = _pydub()(data=samples, sample_width=BYTES_A_SAMPLE, frame_rate=RATE, channels=1)
    return [window.dBFS for window in segment[::_WINDOW_MS]]


def _cuts(levels: list[float], longest: int) -> list[int]:
    """Return the borders of the parts in windows; each cut is at the quietest moment of the last minute allowed."""
    cuts = [0]
    while len(levels) - cuts[-1] > longest:
        latest = cuts[-1] + longest
        earliest = latest - min(_CUT_WITHIN_WINDOWS, longest // 2)
        cuts.append(min(range(earliest, latest), key=levels.__getitem__) + 1)
    return [*cuts, len(levels)]


@functools.cache
def _pydub() -> Any:
    """Import pydub and tell it which ffmpeg there is: its `converter` is state of the class."""
    with _importing, warnings.catch_warnings():
        # It warns of old regular expressions, of audioop, and where no ffmpeg is on PATH; ours is named below.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment  # noqa: PLC0415 -- heavy, and only the worker needs it

    AudioSegment.converter = ffmpeg.program()
    return AudioSegment

"""Measures loudness while a recording is decoded, and cuts its MP3 at quiet moments."""

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
# Speech into a distant phone gives -35 dBFS and more, noise in a pocket -60 and less.
_AUDIBLE_DBFS = -50.0
# The shortest word ("sí") fills two windows, a knock on the microphone one.
_FEWEST_AUDIBLE_WINDOWS = 2
_CUT_WITHIN_WINDOWS = 600
# A frame of an MP3 of 16 kHz and 48 kbit/s (MPEG-2, layer III): 36 ms in 216 bytes.
_FRAME_SAMPLES = 576
_FRAME_BYTES = 216
_importing = threading.Lock()


class Stretch(NamedTuple):
    """Part of a recording, in windows of a tenth of a second."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        """Return the duration."""
        return (self.end - self.start) * _WINDOW_MS / 1000

    @property
    def mp3_bytes(self) -> int:
        """Return the size of its MP3."""
        return (_frame(self.end) - _frame(self.start)) * _FRAME_BYTES

    def mp3(self, note: Path) -> bytes:
        """Read only this part of the recording's MP3."""
        with note.open("rb") as file:
            file.seek(_frame(self.start) * _FRAME_BYTES)
            return file.read(self.mp3_bytes)


def _frame(window: int) -> int:
    return round(window * _WINDOW / _FRAME_SAMPLES)


class Loudness:
    """Levels of a recording, a number for each tenth of a second; its samples are not kept."""

    def __init__(self) -> None:
        self.levels: list[float] = []
        self.samples = 0
        self._rest = b""

    @property
    def seconds(self) -> float:
        """Return the duration so far."""
        return self.samples / RATE

    async def add(self, piece: bytes) -> None:
        """Measure the next 16-bit mono samples at RATE; a piece may end anywhere."""
        self.samples += len(piece) // BYTES_A_SAMPLE
        pending = self._rest + piece
        whole = len(pending) - len(pending) % (_WINDOW * BYTES_A_SAMPLE)
        self._rest = pending[whole:]
        if whole:
            self.levels += await asyncio.to_thread(_levels, pending[:whole])

    async def end(self) -> None:
        """Measure the last, shorter window."""
        if len(self._rest) >= BYTES_A_SAMPLE:
            self.levels += _levels(self._rest[: len(self._rest) // BYTES_A_SAMPLE * BYTES_A_SAMPLE])

    def parts(self, longest_seconds: float) -> list[Stretch]:
        """Cut at the quietest moments into parts that are no longer, and leave out silent parts."""
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
    """Return the borders of parts in windows; each cut is at the quietest moment of the last minute allowed."""
    cuts = [0]
    while len(levels) - cuts[-1] > longest:
        latest = cuts[-1] + longest
        earliest = latest - min(_CUT_WITHIN_WINDOWS, longest // 2)
        cuts.append(min(range(earliest, latest), key=levels.__getitem__) + 1)
    return [*cuts, len(levels)]


@functools.cache
def _pydub() -> Any:
    """Import pydub and set its ffmpeg: `converter` is state of the class."""
    with _importing, warnings.catch_warnings():
        # Because pydub warns of old regular expressions, of audioop and of a missing ffmpeg, we silence the import.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment  # noqa: PLC0415 -- heavy, and only the worker needs it

    AudioSegment.converter = ffmpeg.program()
    return AudioSegment

"""Samples in memory, by pydub: how loud they are, where they may be cut, and as MP3."""

import functools
import io
import threading
import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipelines import ffmpeg
from pipelines.ffmpeg import BYTES_A_SAMPLE

RATE = 16_000
"""Samples a second: Whisper itself listens at 16 kHz, more would only be larger."""

_WINDOW_MS = 100
# A phone held away while somebody speaks gives -35 dBFS and more; room noise in a pocket -60 and less.
_HEARD_DBFS = -50.0
# The shortest word ("sí") fills two windows, a knock on the microphone one.
_FEWEST_HEARD_WINDOWS = 2
_CUT_WITHIN_WINDOWS = 600
_BITRATE = "48k"
_importing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Sound:
    """16-bit mono samples at RATE."""

    samples: bytes

    @property
    def seconds(self) -> float:
        """Return how long it lasts."""
        return len(self.samples) / (RATE * BYTES_A_SAMPLE)


def parts(sound: Sound, longest_seconds: float) -> list[Sound]:
    """Cut at the quietest moments so that no part lasts longer; parts in which nothing is heard are left out."""
    loudness = _loudness(sound)
    cuts = _cuts(loudness, int(longest_seconds * 1000) // _WINDOW_MS)
    window = RATE * BYTES_A_SAMPLE * _WINDOW_MS // 1000
    return [
        Sound(sound.samples[start * window : end * window])
        for start, end in pairwise(cuts)
        if sum(level > _HEARD_DBFS for level in loudness[start:end]) >= _FEWEST_HEARD_WINDOWS
    ]


def mp3(sound: Sound) -> bytes:
    """Encode as a mono MP3 of 16 kHz, 6 KB a second."""
    written = io.BytesIO()
    _segment(sound).export(written, format="mp3", bitrate=_BITRATE)
    return written.getvalue()


def _loudness(sound: Sound) -> list[float]:
    return [window.dBFS for window in _segment(sound)[::_WINDOW_MS]]


def _cuts(loudness: list[float], longest: int) -> list[int]:
    """Return the borders of the parts in windows; each cut is at the quietest moment of the last minute allowed."""
    cuts = [0]
    while len(loudness) - cuts[-1] > longest:
        latest = cuts[-1] + longest
        earliest = latest - min(_CUT_WITHIN_WINDOWS, longest // 2)
        cuts.append(min(range(earliest, latest), key=loudness.__getitem__) + 1)
    return [*cuts, len(loudness)]


def _segment(sound: Sound) -> Any:
    return _pydub()(data=sound.samples, sample_width=BYTES_A_SAMPLE, frame_rate=RATE, channels=1)


@functools.cache
def _pydub() -> Any:
    """Import pydub and tell it which ffmpeg to run; its `converter` is state of the class, so this is the one place."""
    with _importing, warnings.catch_warnings():
        # It warns of old regular expressions, of audioop, and where no ffmpeg is on PATH; ours is named below.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment  # noqa: PLC0415 -- heavy, and only the worker needs it

    AudioSegment.converter = ffmpeg.program()
    return AudioSegment

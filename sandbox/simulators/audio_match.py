"""Recognition of the sample voice notes by their sound, also after conversion to another format."""

import array
import asyncio
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from pipelines import ffmpeg, file_type

SAMPLES = Path(__file__).parents[1] / "samples"
_RATE = 8000
_FRAME = _RATE // 20
_LONGEST_SECONDS = 3600
# Encoders add some milliseconds at the start, and omit up to one frame at the end.
_SHIFTS = range(-6, 7)
_DIFFERENT_LENGTH = 10
# Copies of the same note, also as AMR, correlate by at least 0.95, different notes by at most 0.4.
_SAME = 0.85
_FLOOR = 30.0


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording's length, and its loudness in decibels, twenty times a second."""

    seconds: float
    envelope: tuple[float, ...]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is louder than a microphone's noise."""
        return not self.envelope or max(self.envelope) <= _FLOOR


@dataclass(frozen=True, slots=True)
class VoiceSample:
    """A voice note that ships with the sandbox, and its transcript."""

    text: str
    language: str
    recording: Recording


async def listen(audio: bytes) -> Recording:
    """Decode a recording; its length is 0 when there is no sound in it."""
    signature = file_type.signature_of(audio)
    if signature is None:
        return Recording(0, ())
    samples = await ffmpeg.decode(audio, signature.format, rate=_RATE, seconds=_LONGEST_SECONDS)
    return await asyncio.to_thread(_recording, samples)


async def recognise(recording: Recording) -> VoiceSample | None:
    """Find the sample of which this is a copy."""
    if not _samples:
        _samples[:] = await _decoded_samples()
    likeness = [(_similarity(recording.envelope, sample.recording.envelope), sample) for sample in _samples]
    best, sample = max(likeness, key=lambda pair: pair[0])
    return sample if best >= _SAME else None


# Decoded once a process, at the first request, because the files never change.
_samples: list[VoiceSample] = []


async def _decoded_samples() -> list[VoiceSample]:
    listed = json.loads(await asyncio.to_thread(_content, "samples.json"))
    return [
        VoiceSample(
            recording["text"], recording["language"], await listen(await asyncio.to_thread(_content, recording["file"]))
        )
        for recording in listed
        if recording["kind"] == "voice"
    ]


def _content(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def _recording(samples: bytes) -> Recording:
    levels = array.array("h", samples)
    if sys.byteorder == "big":
        levels.byteswap()
    frames = range(0, len(levels) - _FRAME + 1, _FRAME)
    return Recording(len(levels) / _RATE, tuple(_decibels(levels[start : start + _FRAME]) for start in frames))


def _decibels(frame: "array.array[int]") -> float:
    power = sum(level * level for level in frame) / len(frame)
    return max(_FLOOR, 10 * math.log10(power + 1))


def _similarity(envelope: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the best correlation of two envelopes over small shifts."""
    if abs(len(envelope) - len(other)) > _DIFFERENT_LENGTH:
        return 0.0
    return max(_correlation(envelope[max(shift, 0) :], other[max(-shift, 0) :]) for shift in _SHIFTS)


def _correlation(envelope: tuple[float, ...], other: tuple[float, ...]) -> float:
    length = min(len(envelope), len(other))
    if length < 2:  # noqa: PLR2004 -- no correlation of a point
        return 0.0
    mean, mean_other = sum(envelope[:length]) / length, sum(other[:length]) / length
    pairs = [(a - mean, b - mean_other) for a, b in zip(envelope, other, strict=False)]
    spread = math.sqrt(sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs))
    return sum(a * b for a, b in pairs) / spread if spread else 0.0

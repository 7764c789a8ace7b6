"""A voice note as text: decoded, checked for speech, cut where it is too long, heard by what the caller hands in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pipelines import ffmpeg, sniff, sound
from pipelines.heard import Heard, Segment, sense_of
from pipelines.refusals import Reason, Refusal
from pipelines.sound import RATE, Sound

__all__ = ["Clip", "Heard", "Segment", "SpeechToText", "Transcript", "transcribe"]

LARGEST_BYTES = 100 * 1024 * 1024
LONGEST_SECONDS = 60 * 60
# 7 MB as MP3; the transcription API takes 25: https://platform.openai.com/docs/guides/speech-to-text
PART_SECONDS = 20 * 60
_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Clip:
    """What is sent to be heard: a mono MP3 of 16 kHz, whatever came in; `language` (ISO 639-1) is a hint."""

    audio: bytes
    filename: str
    mime: str
    seconds: float
    language: str | None


SpeechToText = Callable[[Clip], Awaitable[Heard]]


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in `seconds` of audio; `parts` is the number of clips that were paid for."""

    text: str
    seconds: float
    language: str | None
    parts: int


async def transcribe(audio: bytes, *, speech_to_text: SpeechToText, language: str | None = None) -> Transcript:
    """Write down what is said; `language` (ISO 639-1) helps with short notes.

    Raises Refusal, before anything is paid unless it is UNINTELLIGIBLE; errors of `speech_to_text` pass through.
    """
    container = _container(audio)
    recording = await _decoded(audio, container)
    parts = await asyncio.to_thread(sound.parts, recording, PART_SECONDS)
    if not parts:
        raise Refusal(Reason.SILENT, f"nothing is heard in {recording.seconds:.1f} s")
    # Also what could go as it is: a phone's MP4 is refused now and then, and a video is ten times as large.
    clips = [await _clip(part, language) for part in parts]
    heard = await _all_heard(clips, speech_to_text)
    text = " ".join(filter(None, map(sense_of, heard)))
    if not text:
        raise Refusal(Reason.UNINTELLIGIBLE, f"no words in {recording.seconds:.1f} s of sound")
    spoken = next((one.language for one in heard if one.language), language)
    return Transcript(text, recording.seconds, spoken, len(clips))


def _container(audio: bytes) -> str:
    if not audio:
        raise Refusal(Reason.EMPTY, "no bytes")
    if len(audio) > LARGEST_BYTES:
        raise Refusal(Reason.TOO_LARGE, f"{len(audio)} bytes")
    signature = sniff.signature_of(audio)
    if signature is None or signature.kind not in ("audio", "video"):
        raise Refusal(Reason.NOT_AUDIO, signature.format if signature else "unknown bytes")
    return signature.format


async def _decoded(audio: bytes, container: str) -> Sound:
    """Decode to memory; a small file may last for hours, so ffmpeg stops just beyond the limit."""
    samples = await ffmpeg.decode(audio, container, rate=RATE, seconds=LONGEST_SECONDS + 1)
    recording = Sound(samples)
    if not samples and container in ("mp4", "webm"):
        raise Refusal(Reason.NOT_AUDIO, "a video without sound")
    if not samples:
        raise Refusal(Reason.DAMAGED, "no sound could be decoded")
    if recording.seconds > LONGEST_SECONDS:
        raise Refusal(Reason.TOO_LONG, f"over {LONGEST_SECONDS} s")
    return recording


async def _clip(part: Sound, language: str | None) -> Clip:
    mp3 = await asyncio.to_thread(sound.mp3, part)
    return Clip(mp3, "voice.mp3", "audio/mpeg", part.seconds, language)


async def _all_heard(clips: list[Clip], speech_to_text: SpeechToText) -> list[Heard]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def hear(clip: Clip) -> Heard:
        async with turns:
            return await speech_to_text(clip)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(hear(clip)) for clip in clips]
    except ExceptionGroup as failures:
        # The caller knows the errors of what it handed in, not groups of them.
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]

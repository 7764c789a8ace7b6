"""Transcribes voice notes: decodes, checks for speech, cuts into parts, and calls the given speech-to-text."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines import ffmpeg, file_type
from pipelines.audio import Loudness, Stretch
from pipelines.byte_budget import for_uploads
from pipelines.errors import FileProblem, FileRefused
from pipelines.transcript import RawTranscript, Segment, spoken_text

__all__ = ["Clip", "RawTranscript", "Segment", "SpeechToText", "Transcript", "transcribe"]

LARGEST_BYTES = 100 * 1024 * 1024
# So much is decoded and transcribed within the time of a turn; decoding an hour took 35 s on two busy cores.
LONGEST_SECONDS = 30 * 60
# 7 MB as MP3; the transcription API takes 25: https://platform.openai.com/docs/guides/speech-to-text
PART_SECONDS = 20 * 60


@dataclass(frozen=True, slots=True)
class Clip:
    """Input of speech-to-text: a mono MP3 of 16 kHz; `language` (ISO 639-1) is a hint."""

    audio: bytes
    filename: str
    mime: str
    seconds: float
    language: str | None


SpeechToText = Callable[[Clip], Awaitable[RawTranscript]]


@dataclass(frozen=True, slots=True)
class Transcript:
    """Text of `seconds` of audio; `parts` is the number of clips that were paid for."""

    text: str
    seconds: float
    language: str | None
    parts: int


async def transcribe(audio: bytes, *, speech_to_text: SpeechToText, language: str | None = None) -> Transcript:
    """Transcribe speech; `language` (ISO 639-1) helps with short notes.

    Raises FileRefused, before anything is paid unless it is UNINTELLIGIBLE; errors of `speech_to_text` pass through.
    """
    container = _container(audio)
    with tempfile.TemporaryDirectory(prefix="recado-") as folder:
        note = Path(folder, "note.mp3")
        loudness = await _as_mp3(audio, container, note)
        parts = loudness.parts(PART_SECONDS)
        if not parts:
            raise FileRefused(FileProblem.SILENT, f"nothing is audible in {loudness.seconds:.1f} s")
        raw_transcripts = await _raw_transcripts(note, parts, speech_to_text, language)
    text = " ".join(filter(None, map(spoken_text, raw_transcripts)))
    if not text:
        raise FileRefused(FileProblem.UNINTELLIGIBLE, f"no words in {loudness.seconds:.1f} s of sound")
    spoken = next((transcript.language for transcript in raw_transcripts if transcript.language), language)
    return Transcript(text, loudness.seconds, spoken, len(parts))


def _container(audio: bytes) -> str:
    if not audio:
        raise FileRefused(FileProblem.EMPTY, "no bytes")
    if len(audio) > LARGEST_BYTES:
        raise FileRefused(FileProblem.TOO_LARGE, f"{len(audio)} bytes")
    signature = file_type.signature_of(audio)
    if signature is None or signature.kind not in ("audio", "video"):
        raise FileRefused(FileProblem.NOT_AUDIO, signature.format if signature else "unknown bytes")
    return signature.format


async def _as_mp3(audio: bytes, container: str, note: Path) -> Loudness:
    """Make an MP3; a small file may last for hours, so ffmpeg stops just beyond the limit.

    Because the API refuses a phone's MP4 now and then, and a video is ten times as large, every file is converted.
    """
    loudness = Loudness()
    await ffmpeg.record(audio, container, note, seconds=LONGEST_SECONDS + 1, on_samples=loudness.add)
    await loudness.end()
    if not loudness.samples and container in ("mp4", "webm"):
        raise FileRefused(FileProblem.NOT_AUDIO, "a video without sound")
    if not loudness.samples:
        raise FileRefused(FileProblem.DAMAGED, "no sound could be decoded")
    if loudness.seconds > LONGEST_SECONDS:
        raise FileRefused(FileProblem.TOO_LONG, f"over {LONGEST_SECONDS} s")
    return loudness


async def _raw_transcripts(
    note: Path, parts: list[Stretch], speech_to_text: SpeechToText, language: str | None
) -> list[RawTranscript]:
    async def transcribed(part: Stretch) -> RawTranscript:
        # Because the bytes are in the clip and in the body of the request, they count twice.
        async with for_uploads().reserved(2 * part.mp3_bytes):
            return await speech_to_text(Clip(part.mp3(note), "voice.mp3", "audio/mpeg", part.seconds, language))

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(transcribed(part)) for part in parts]
    except ExceptionGroup as failures:
        # Because the caller expects the errors of its own function, the group is unwrapped.
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]

"""The one place that runs ffmpeg on what strangers send: with a time limit, and nothing but the given file to read."""

import asyncio
import functools
import shutil
import tempfile
from asyncio.subprocess import DEVNULL
from pathlib import Path

from pipelines.refusals import Reason, Refusal

SECONDS_TO_DECODE = 60
BYTES_A_SAMPLE = 2
_LARGEST_ALLOCATION = 256 * 1024 * 1024
# Naming the demuxer keeps a file from passing itself off as a playlist that makes ffmpeg open other files.
_DEMUXERS = {"mp4": "mov", "m4a": "mov", "webm": "matroska"}


@functools.cache
def program() -> str:
    """Return the path of ffmpeg: the system's, else the one that comes with imageio-ffmpeg."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    import imageio_ffmpeg  # noqa: PLC0415 -- not needed where the system has ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


async def decode(audio: bytes, container: str, *, rate: int, seconds: float) -> bytes:
    """Decode at most `seconds` of sound to 16-bit mono samples at `rate` Hz, none when there is no sound in it.

    `container` is a format of `sniff`. Raises Refusal(TOO_SLOW).
    """
    how = ("-map", "0:a:0", "-t", str(seconds), "-ac", "1", "-ar", str(rate), "-f", "s16le")
    return await _convert(audio, container, *how)


async def frame(video: bytes, container: str, *, side: int) -> bytes:
    """Take the picture that stands best for the first seconds of a video, as a JPEG; none when it has no pictures.

    `side` is the most pixels of its width and height. Raises Refusal(TOO_SLOW).
    """
    # The first picture is often black or a blur: `thumbnail` takes the most typical one of a hundred.
    fit = f"thumbnail=100,scale={side}:{side}:force_original_aspect_ratio=decrease:force_divisible_by=2"
    return await _convert(video, container, "-map", "0:v:0", "-t", "10", "-vf", fit, "-frames:v", "1", "-f", "mjpeg")


async def _convert(content: bytes, container: str, *how: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="recado-") as folder:
        # Files and not pipes: the index of an MP4 may come last, and a killed process leaves no pipe to drain.
        source, result = Path(folder, "source"), Path(folder, "result")
        await asyncio.to_thread(source.write_bytes, content)
        demuxer = _DEMUXERS.get(container, container)
        await _run("-protocol_whitelist", "file", "-f", demuxer, "-i", str(source), *how, str(result))
        return await asyncio.to_thread(_content, result)


async def encode(audio: bytes, container: str, *, bitrate: int, seconds: float) -> bytes:
    """Encode at most `seconds` of sound to OGG/Opus in mono, as WhatsApp plays voice notes; none without sound in it.

    `container` is a format of `sniff`, `bitrate` in bits a second. Raises Refusal(TOO_SLOW).
    """
    with tempfile.TemporaryDirectory(prefix="recado-") as folder:
        source, note = Path(folder, "sound"), Path(folder, "note.ogg")
        await asyncio.to_thread(source.write_bytes, audio)
        await _run(
            *("-protocol_whitelist", "file", "-f", _DEMUXERS.get(container, container), "-i", str(source)),
            *("-map", "0:a:0", "-map_metadata", "-1", "-t", str(seconds), "-ac", "1", "-ar", "48000"),
            *("-c:a", "libopus", "-b:a", str(bitrate), "-application", "voip", "-f", "ogg", str(note)),
        )
        return await asyncio.to_thread(_content, note)


def _content(samples: Path) -> bytes:
    return samples.read_bytes() if samples.exists() else b""


async def _run(*arguments: str) -> None:
    limits = ("-nostdin", "-v", "quiet", "-max_alloc", str(_LARGEST_ALLOCATION), "-threads", "1")
    process = await asyncio.create_subprocess_exec(
        *(program(), *limits, *arguments), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(SECONDS_TO_DECODE):
            await process.wait()
    except TimeoutError as error:
        raise Refusal(Reason.TOO_SLOW, f"not decoded within {SECONDS_TO_DECODE} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

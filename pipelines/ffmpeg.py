"""Runs ffmpeg on files of strangers; each run is limited in memory, seconds and output."""

import asyncio
import functools
import re
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines.byte_budget import for_decoding
from pipelines.errors import FileProblem, FileRefused
from pipelines.spool import spooled

SECONDS_TO_DECODE = 60
BYTES_A_SAMPLE = 2
SPEECH_RATE = 16_000
"""Samples a second: Whisper works at 16 kHz, more would only be larger."""

# A phone's 4K (3840x2160) with the margin that some encoders add.
MOST_PIXELS = 4096 * 2304
_MEGABYTE = 1024 * 1024
_LARGEST_ALLOCATION = 64 * _MEGABYTE
# Because a playlist would make ffmpeg open other files, we name the demuxer.
_DEMUXERS = {"mp4": "mov", "m4a": "mov", "webm": "matroska"}
_BITRATE = 48_000
_LOG_BYTES = 32 * 1024
_PIECE_BYTES = 256 * 1024
_DURATION = re.compile(rb"Duration: (\d{2,6}):(\d\d):(\d\d)")
# Because the length in a header is a guess now and then, it counts only beyond this multiple of the limit.
_SURELY = 1.5
# Because ffmpeg can't limit itself, a shell does; exec makes ffmpeg the process that is watched and killed.
_LIMITED = 'ulimit -c 0; ulimit -s 1024; ulimit -d "$1" 2>/dev/null; ulimit -t "$2"; ulimit -f "$3"; shift 3; exec "$@"'


_LIMITS_REACHED = (signal.SIGXCPU, signal.SIGXFSZ, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a run: `reserved` bytes are the usual need, more than `memory` ends it; `output` in bytes."""

    reserved: int
    memory: int
    cpu_seconds: int
    output: int


# Measured with ffmpeg 9: 35 MB for sound, 138 MB for 4K. `memory` counts what a process asks for, used or not.
SOUND = Limits(40 * _MEGABYTE, 64 * _MEGABYTE, cpu_seconds=60, output=128 * _MEGABYTE)
PICTURE = Limits(144 * _MEGABYTE, 164 * _MEGABYTE, cpu_seconds=10, output=16 * _MEGABYTE)


@functools.cache
def program() -> str:
    """Return the path of the system's ffmpeg, else of the one in imageio-ffmpeg."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    import imageio_ffmpeg  # noqa: PLC0415 -- not needed where the system has ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


async def decode(audio: bytes, container: str, *, rate: int, seconds: float) -> bytes:
    """Decode at most `seconds` of sound to 16-bit mono samples at `rate` Hz, none when there is no sound in it.

    `container` is a format of `file_type`. Raises FileRefused(TOO_SLOW).
    """
    how = ("-map", "0:a:0", "-t", str(seconds), "-ac", "1", "-ar", str(rate), "-f", "s16le")
    return await _convert(audio, container, *how, limits=SOUND)


OnSamples = Callable[[bytes], Awaitable[None]]
"""Takes the next samples; ffmpeg waits until it returns."""


async def record(audio: bytes, container: str, note: Path, *, seconds: float, on_samples: OnSamples) -> None:
    """Write at most `seconds` of sound to `note` as a mono MP3, and hand its samples over while it is written.

    All frames of the MP3 have one length and depend on no other, so it can be cut between any two. Nothing is kept in
    memory. Raises FileRefused: TOO_SLOW, or TOO_LONG by the file's own header.
    """
    graph = f"[0:a:0]aresample={SPEECH_RATE},aformat=sample_fmts=s16:channel_layouts=mono,asplit[pcm][mp3]"
    async with for_decoding().reserved(SOUND.reserved), spooled(audio) as source:
        await _run(
            *_source(source, container),
            *("-filter_complex_threads", "1", "-filter_complex", graph),
            *("-map", "[pcm]", "-t", str(seconds), "-f", "s16le", "pipe:1"),
            *("-map", "[mp3]", "-t", str(seconds), "-map_metadata", "-1", "-c:a", "libmp3lame", "-b:a", str(_BITRATE)),
            *("-reservoir", "0", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3", str(note)),
            limits=SOUND,
            on_samples=on_samples,
            longest=seconds,
        )


async def frame(video: bytes, container: str, *, side: int) -> bytes:
    """Take the most typical picture of a video's first seconds, as a JPEG; empty without pictures.

    `side` is the most pixels of its width and height. Raises FileRefused: TOO_SLOW, or BOMB beyond MOST_PIXELS.
    """
    # Because the first picture is often black or a blur, `thumbnail` takes the most typical of ten. It keeps the ten in
    # memory, so they are scaled down first.
    fit = f"fps=2,scale={side}:{side}:force_original_aspect_ratio=decrease:force_divisible_by=2,thumbnail=10"
    how = ("-map", "0:v:0", "-filter_threads", "1", "-vf", fit, "-frames:v", "1", "-threads", "1", "-f", "mjpeg")
    before = ("-skip_frame", "noref", "-skip_loop_filter", "all", "-t", "5")
    return await _convert(video, container, *how, limits=PICTURE, before=before)


async def encode(audio: bytes, container: str, *, bitrate: int, seconds: float) -> bytes:
    """Encode at most `seconds` of sound to OGG/Opus in mono, as WhatsApp plays voice notes; none without sound in it.

    `container` is a format of `file_type`, `bitrate` in bits a second. Raises FileRefused(TOO_SLOW).
    """
    how = ("-map", "0:a:0", "-map_metadata", "-1", "-t", str(seconds), "-ac", "1", "-ar", "48000")
    opus = ("-c:a", "libopus", "-b:a", str(bitrate), "-application", "voip", "-f", "ogg")
    return await _convert(audio, container, *how, *opus, limits=SOUND)


async def _convert(content: bytes, container: str, *how: str, limits: Limits, before: tuple[str, ...] = ()) -> bytes:
    async with for_decoding().reserved(limits.reserved), spooled(content) as source:
        with tempfile.TemporaryDirectory(prefix="recado-") as folder:
            # Because a killed process leaves no pipe to drain, the output is a file.
            result = Path(folder, "result")
            await _run(*before, *_source(source, container), *how, str(result), limits=limits)
            return await asyncio.to_thread(_content, result)


def _source(source: Path, container: str) -> tuple[str, ...]:
    # Because the index of an MP4 may come last, the input is a file. The decoder refuses larger pictures before it
    # allocates memory for them, also in the middle of a video.
    return (
        "-max_pixels",
        str(MOST_PIXELS),
        "-protocol_whitelist",
        "file,pipe",
        "-f",
        _DEMUXERS.get(container, container),
        "-i",
        str(source),
    )


def _content(result: Path) -> bytes:
    return result.read_bytes() if result.exists() else b""


async def _run(
    *arguments: str, limits: Limits, on_samples: OnSamples | None = None, longest: float | None = None
) -> None:
    allowed = (str(limits.memory // 1024), str(limits.cpu_seconds), str(limits.output // 512))
    every = ("-nostdin", "-hide_banner", "-nostats", "-v", "info", "-max_alloc", str(_LARGEST_ALLOCATION))
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", _LIMITED, "sh", *allowed),
        *(program(), *every, "-threads", "1", *arguments),
        stdin=DEVNULL,
        stdout=PIPE if on_samples else DEVNULL,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS_TO_DECODE), asyncio.TaskGroup() as group:
            group.create_task(_watch_log(process, longest))
            if on_samples:
                group.create_task(_hand_over(process, on_samples))
            await process.wait()
    except TimeoutError as error:
        raise FileRefused(FileProblem.TOO_SLOW, f"not decoded within {SECONDS_TO_DECODE} s") from error
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    # Because the decoded part would pass for the whole, a limit that was reached refuses the file.
    if process.returncode is not None and -process.returncode in _LIMITS_REACHED:
        raise FileRefused(FileProblem.TOO_SLOW, "more seconds or bytes than it may take")


async def _watch_log(process: Process, longest: float | None) -> None:
    """Read ffmpeg's log of the file; raises FileRefused for a header that is beyond the limits."""
    log = b""
    while process.stderr and (piece := await process.stderr.read(4096)):
        if len(log) > _LOG_BYTES:
            continue
        log += piece
        if longest is not None and _seconds(log) > longest * _SURELY:
            raise FileRefused(FileProblem.TOO_LONG, f"{_seconds(log)} s by its header")
        if b"exceeds specified max pixel count" in log:
            raise FileRefused(FileProblem.BOMB, f"pictures of more than {MOST_PIXELS} pixels")


def _seconds(log: bytes) -> int:
    found = _DURATION.search(log)
    hours, minutes, seconds = map(int, found.groups()) if found else (0, 0, 0)
    return hours * 3600 + minutes * 60 + seconds


async def _hand_over(process: Process, on_samples: OnSamples) -> None:
    while process.stdout and (piece := await process.stdout.read(_PIECE_BYTES)):
        await on_samples(piece)

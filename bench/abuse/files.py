"""Files that are small to send and expensive to read, made by the installed ffmpeg."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from pipelines.ffmpeg import program

MEGABYTE = 1024 * 1024


@cache
def film(size: str, frames: int) -> bytes:
    """A black film: a few kilobytes at any size."""
    return _made("mp4", "-f", "lavfi", "-i", f"color=black:s={size}:r=30", "-frames:v", str(frames), "-c:v", "mpeg4")


@cache
def note(minutes: int) -> bytes:
    """A voice note of a tone: one minute, repeated."""
    tone = ("-f", "lavfi", "-i", "sine=440:r=16000", "-t", "60", "-c:a", "libopus", "-b:a", "6k")
    with tempfile.TemporaryDirectory() as folder:
        minute = Path(folder, "minute.ogg")
        minute.write_bytes(_made("ogg", *tone))
        return _made("ogg", "-stream_loop", str(minutes - 1), "-i", str(minute), "-c", "copy")


@cache
def table(megabytes: int) -> bytes:
    """A CSV of one line."""
    return b"Producto;Precio;" * (megabytes * MEGABYTE // 16)


def noise(number: int, megabytes: int) -> bytes:
    """Unreadable bytes, different for each number."""
    return b"PK\x03\x04" + bytes([number]) * (megabytes * MEGABYTE)


def _made(ending: str, *how: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"made.{ending}")
        subprocess.run((program(), "-v", "error", *how, str(path)), capture_output=True, check=True)
        return path.read_bytes()

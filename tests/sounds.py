"""Recordings for tests, made by the installed ffmpeg."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from pipelines.audio import RATE
from pipelines.ffmpeg import program


def mp3(samples: bytes) -> bytes:
    """An MP3 of 16-bit mono samples at RATE."""
    return made("mp3", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0", content=samples)


def made(ending: str, *how: str, content: bytes = b"") -> bytes:
    """A file with this ending, made by ffmpeg."""
    with tempfile.TemporaryDirectory() as folder:
        # A file and not a pipe, because ffmpeg writes lengths into the beginning at the end.
        path = Path(folder, f"made.{ending}")
        subprocess.run((program(), "-v", "error", *how, str(path)), input=content, capture_output=True, check=True)
        return path.read_bytes()

"""Recordings for tests, made by the ffmpeg that is there."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from pipelines.audio import RATE
from pipelines.ffmpeg import program


def mp3(samples: bytes) -> bytes:
    """An MP3 of 16-bit mono samples at RATE, as any phone would make it."""
    return made("mp3", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0", content=samples)


def made(ending: str, *how: str, content: bytes = b"") -> bytes:
    """What ffmpeg makes of it: a file with this ending."""
    with tempfile.TemporaryDirectory() as folder:
        # A file and not a pipe: lengths are written into its beginning at the end.
        path = Path(folder, f"made.{ending}")
        subprocess.run((program(), "-v", "error", *how, str(path)), input=content, capture_output=True, check=True)
        return path.read_bytes()

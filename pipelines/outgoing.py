"""Converts files for sending: pictures that WhatsApp shows, recordings that it plays as voice notes."""

from __future__ import annotations

from pathlib import Path

from pipelines import ffmpeg, file_type, pillow
from pipelines.errors import FileProblem, FileRefused
from pipelines.photo_decoder import decoded, jpeg, upright

LARGEST_PICTURE = 5 * 1024 * 1024
LARGEST_RECORDING = 16 * 1024 * 1024
# Up to this size WhatsApp shows a voice note with its play button, above with a download arrow.
LARGEST_NOTE = 512 * 1024
_LONGEST_NOTE_SECONDS = 3600
_BITRATE = 32_000
_LOWEST_BITRATE = 8_000
_SIDE = 2048
_SHOWN_MODES = ("RGB", "RGBA")


async def picture(content: bytes, *, anew: bool = False) -> tuple[bytes, str]:
    """Return a JPEG or PNG of at most 5 MB, and its MIME type; a file that is one already stays, unless `anew`.

    Raises FileRefused for a file that is no picture, or a broken one.
    """
    signature = file_type.signature_of(content)
    known = signature.format if signature else ""
    if not anew and known in ("jpeg", "png") and len(content) <= LARGEST_PICTURE and await decoded(content, _is_plain):
        return content, f"image/{known}"
    return await decoded(content, _shown), "image/jpeg"


async def voice_note(content: bytes) -> bytes:
    """Encode to OGG/Opus in mono, small enough for a voice note. Raises FileRefused."""
    signature = file_type.signature_of(content)
    if signature is None or signature.kind not in ("audio", "video"):
        raise FileRefused(FileProblem.NOT_AUDIO, signature.format if signature else "unknown")
    bitrate = _BITRATE
    while True:
        note = await ffmpeg.encode(content, signature.format, bitrate=bitrate, seconds=_LONGEST_NOTE_SECONDS)
        if not note:
            raise FileRefused(FileProblem.DAMAGED, f"no sound can be read from this {signature.format}")
        if len(note) <= LARGEST_NOTE or bitrate <= _LOWEST_BITRATE:
            break
        bitrate //= 2
    if len(note) > LARGEST_RECORDING:
        raise FileRefused(FileProblem.TOO_LARGE, f"{len(note)} bytes")
    return note


def _shown(content: Path) -> bytes:
    """Run in the process that decodes photos."""
    photo, _ = upright(content)
    return jpeg(photo, _SIDE)


def _is_plain(content: Path) -> bool:
    """Whether WhatsApp shows the picture: 8 bits a colour, no palette, no CMYK."""
    try:
        with pillow.Image.open(content, formats=("JPEG", "PNG")) as opened:
            return opened.mode in _SHOWN_MODES
    except (OSError, SyntaxError, ValueError, pillow.Image.DecompressionBombError):
        return False

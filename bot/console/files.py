"""Files that operators send: what WhatsApp shows of them, by their bytes, and its limits, before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass

from bot.delivery.uploads import NotSendable, checked_document
from bot.messages.outbound import Attachment, Picture, StoredFile, VoiceNote
from bot.storage.file_index import safe_name
from bot.whatsapp.client import File
from pipelines import file_type
from pipelines.outgoing import LARGEST_PICTURE, LARGEST_RECORDING

# Meta takes documents up to 100 MB; so many stay in this process's memory while they are checked and stored.
LARGEST_FILE = 32 * 1024 * 1024
_MEGABYTE = 1024 * 1024


class FileNotSendable(Exception):
    """WhatsApp would not take the file; `words` say why, in Spanish and English."""

    def __init__(self, spanish: str, english: str) -> None:
        super().__init__(english)
        self.words = (spanish, english)


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it was uploaded: name and type are claims."""

    name: str
    mime: str
    data: bytes
    caption: str | None = None


def part_of(file: SentFile) -> Picture | VoiceNote | Attachment:
    """The message that shows the file, still without its place in the storage. Raises FileNotSendable."""
    if not file.data:
        raise FileNotSendable("está vacío", "it is empty")
    name, signature = safe_name(file.name), file_type.signature_of(file.data)
    kind = signature.kind if signature else ""
    if kind == "image":
        _require_within(file, LARGEST_PICTURE, "una imagen", "a picture")
        stored = StoredFile(key="", mime=f"image/{signature.format if signature else 'jpeg'}", filename=name)
        return Picture(file=stored, caption=file.caption)
    # A browser records a voice note in a container for video.
    if kind == "audio" or (kind == "video" and file.mime.startswith("audio/")):
        _require_within(file, LARGEST_RECORDING, "una grabación", "a recording")
        return VoiceNote(file=StoredFile(key="", mime=file.mime or "audio/ogg", filename=name))
    if kind == "video":
        raise FileNotSendable(
            "desde aquí no salen videos; envía un enlace", "videos can't be sent from here; send a link"
        )
    _require_within(file, LARGEST_FILE, "un documento", "a document")
    try:
        document = checked_document(File(file.data, file.mime, name))
    except NotSendable as error:
        raise FileNotSendable(f"WhatsApp no acepta documentos de este tipo ({file.mime})", str(error)) from error
    return Attachment(file=StoredFile(key="", mime=document.mime, filename=name), caption=file.caption)


def _require_within(file: SentFile, limit: int, spanish: str, english: str) -> None:
    if len(file.data) > limit:
        most = f"{limit // _MEGABYTE} MB"
        raise FileNotSendable(f"{spanish} puede tener {most}", f"{english} may have {most}")

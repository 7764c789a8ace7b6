"""Files that operators send: what WhatsApp shows of them, by their bytes, and its limits, before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.delivery.uploads import NotSendable, checked_document
from bot.messages.outbound import Attachment, Picture, SentSticker, SentVideo, StoredFile, VoiceNote
from bot.storage.file_index import safe_name
from bot.whatsapp.client import File
from pipelines import file_type, mp4, webp
from pipelines.outgoing import LARGEST_PICTURE, LARGEST_RECORDING

# Meta takes documents up to 100 MB; so many stay in this process's memory while they are checked and stored.
LARGEST_FILE = 32 * 1024 * 1024
# https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types
LARGEST_VIDEO = 16 * 1024 * 1024
_LARGEST_STICKER, _LARGEST_MOVING_STICKER = 100 * 1024, 500 * 1024
_STICKER_SIDE = 512
_MEGABYTE = 1024 * 1024
_H264 = ("avc1", "avc3")
_AAC = "mp4a"
_QUICKTIME = "qt  "

FileProblemCode = Literal[
    "empty",
    "picture_large",
    "recording_large",
    "video_large",
    "document_large",
    "video_container",
    "video_broken",
    "video_codec",
    "video_sound",
    "document_kind",
]
Sent = Picture | VoiceNote | Attachment | SentVideo | SentSticker


class FileNotSendable(Exception):
    """WhatsApp would not take the file; `code` says why, `limit` is in megabytes."""

    def __init__(self, code: FileProblemCode, limit: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.limit = limit


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it was uploaded: name and type are claims."""

    name: str
    mime: str
    data: bytes
    caption: str | None = None


def part_of(file: SentFile) -> Sent:
    """The message that shows the file, still without its place in the storage. Raises FileNotSendable."""
    if not file.data:
        raise FileNotSendable("empty")
    name, signature = safe_name(file.name), file_type.signature_of(file.data)
    kind = signature.kind if signature else ""
    if kind == "image":
        if not file.caption and _is_sticker(file.data):
            return SentSticker(file=StoredFile(key="", mime="image/webp", filename=name))
        _require_within(file, LARGEST_PICTURE, "picture_large")
        stored = StoredFile(key="", mime=f"image/{signature.format if signature else 'jpeg'}", filename=name)
        return Picture(file=stored, caption=file.caption)
    # A browser records a voice note in a container for video.
    if kind == "audio" or (kind == "video" and file.mime.startswith("audio/")):
        _require_within(file, LARGEST_RECORDING, "recording_large")
        return VoiceNote(file=StoredFile(key="", mime=file.mime or "audio/ogg", filename=name))
    if kind == "video":
        return _video(file, name, is_mp4=signature is not None and signature.format == "mp4")
    _require_within(file, LARGEST_FILE, "document_large")
    try:
        document = checked_document(File(file.data, file.mime, name))
    except NotSendable as error:
        raise FileNotSendable("document_kind") from error
    return Attachment(file=StoredFile(key="", mime=document.mime, filename=name), caption=file.caption)


def _video(file: SentFile, name: str, *, is_mp4: bool) -> SentVideo:
    """A video as WhatsApp plays it: H.264 with AAC or without sound, in MP4 or 3GP. Raises FileNotSendable."""
    film = mp4.film_of(file.data)
    if not is_mp4 or film.brand in ("", _QUICKTIME):
        raise FileNotSendable("video_container")
    _require_within(file, LARGEST_VIDEO, "video_large")
    seen = [track.codec for track in film.tracks if track.handler == "vide"]
    heard = [track.codec for track in film.tracks if track.handler == "soun"]
    if not seen:
        raise FileNotSendable("video_broken")
    if any(codec not in _H264 for codec in seen):
        raise FileNotSendable("video_codec")
    if heard not in ([], [_AAC]):
        raise FileNotSendable("video_sound")
    mime = "video/3gpp" if film.brand.startswith("3g") else "video/mp4"
    return SentVideo(file=StoredFile(key="", mime=mime, filename=name), caption=file.caption)


def _is_sticker(data: bytes) -> bool:
    """Whether WhatsApp takes the picture as a sticker."""
    facts = webp.facts_of(data)
    if facts is None or (facts.width, facts.height) != (_STICKER_SIDE, _STICKER_SIDE):
        return False
    return len(data) <= (_LARGEST_MOVING_STICKER if facts.moves else _LARGEST_STICKER)


def _require_within(file: SentFile, limit: int, code: FileProblemCode) -> None:
    if len(file.data) > limit:
        raise FileNotSendable(code, limit // _MEGABYTE)

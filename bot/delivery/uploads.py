"""Uploads of our files to Meta: converted for their message type, uploaded once, and again if lost or refused."""

from __future__ import annotations

import mimetypes
from dataclasses import replace

from redis.asyncio import Redis

from bot.infra.redis import key
from bot.messages.outbound import Attachment, Filed, Picture, SentSticker, SentVideo, VoiceNote
from bot.storage.storage import NotStored, Storage
from bot.whatsapp.client import File, Graph
from bot.whatsapp.rendering import filename
from pipelines import file_type, outgoing
from pipelines.errors import FileRefused

# Meta keeps an upload for 30 days.
_KEEP_SECONDS = 29 * 24 * 3600
_LARGEST_DOCUMENT = 100 * 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"
# The only document types that Meta accepts (docs/whatsapp.md, Media).
DOCUMENTS = frozenset({
    "text/plain", "application/pdf", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
    f"{_OFFICE}.wordprocessingml.document", f"{_OFFICE}.spreadsheetml.sheet", f"{_OFFICE}.presentationml.presentation",
})  # fmt: skip


class NotSendable(Exception):
    """A file that no retry can send; the text names no content."""


class Uploads:
    def __init__(self, redis: Redis, graph: Graph, storage: Storage) -> None:
        self._redis = redis
        self._graph = graph
        self._storage = storage

    async def media_id(self, conversation: str, part: Filed, number: str, *, reupload: bool = False) -> str:
        """Media id of the part's file. `reupload`: encode and upload it once more, because Meta refused an upload.

        Raises NotSendable, StorageFailed, GraphError, MetaUnavailable.
        """
        name = key(conversation, "upload", part.kind, part.file.key)
        known: str | None = None if reupload else await self._redis.get(name)
        if known is not None:
            return known
        file = await self._prepared(part, reupload=reupload)
        media_id = await self._graph.upload(file, number)
        await self._redis.set(name, media_id, ex=_KEEP_SECONDS)
        return media_id

    async def _prepared(self, part: Filed, *, reupload: bool) -> File:
        name = filename(part.file)
        try:
            content = await self._storage.get(part.file.key)
            match part:
                case Picture():
                    data, mime = await outgoing.picture(content, anew=reupload)
                    return File(data, mime, name)
                case VoiceNote():
                    return File(await outgoing.voice_note(content), "audio/ogg; codecs=opus", "voice.ogg")
                case SentVideo() | SentSticker():
                    # As they are: they were checked when somebody sent them.
                    return File(content, part.file.mime, name)
                case Attachment():
                    return checked_document(File(content, part.file.mime, name))
        except NotStored as error:
            raise NotSendable(f"the file of a {part.kind} is not in the storage") from error
        except FileRefused as refusal:
            raise NotSendable(f"the file of a {part.kind} can't be sent: {refusal.reason}") from refusal


def checked_document(file: File) -> File:
    """Document with a type that Meta accepts: taken from its bytes, else its name, else its declared type.

    Raises NotSendable.
    """
    if not 0 < len(file.data) <= _LARGEST_DOCUMENT:
        raise NotSendable(f"a document has {len(file.data)} bytes; Meta takes 1 to {_LARGEST_DOCUMENT}")
    kind = file_type.kind_of(file.data)
    by_name = mimetypes.guess_type(file.name)[0] or ""
    if kind == "pdf":
        mime = "application/pdf"
    elif kind == "text":
        # Because Meta accepts no other type of text, tables are plain text too.
        mime = "text/plain"
    else:
        mime = next(
            (candidate for candidate in (by_name, file.mime.partition(";")[0].strip()) if candidate in DOCUMENTS), ""
        )
    if mime not in DOCUMENTS:
        raise NotSendable(f"Meta takes no document of this kind ({file.mime})")
    return replace(file, mime=mime)

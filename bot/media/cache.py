"""Cache of what was understood of files: the keys that hold it, and the text read of a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from redis.asyncio import Redis

from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound, Media
from pipelines.image import Reading

# WhatsApp lets people delete a message for everyone within about two days; a month is on the safe side.
_KEEP_MEDIA_ID_SECONDS = 30 * 24 * 3600
# A reading outlives a photo that its sender took back by at most this, under a digest that nobody asks for.
_KEEP_READING_SECONDS = 24 * 3600

_reading: TypeAdapter[Reading] = TypeAdapter(Reading)


def media_keys(conversation: str, media_id: str) -> tuple[str, str, str]:
    """Keys of the perceived message, the picture for the model, and the text and codes of the photo."""
    perceived, picture, photo_text = (key(conversation, part, media_id) for part in ("perceived", "picture", "look"))
    return perceived, picture, photo_text


def media_key(conversation: str, wamid: str) -> str:
    """Key of the media id that a message brought."""
    return key(conversation, "media", wamid)


def note_media(pipeline: Any, conversation: str, message: Inbound) -> None:
    """Remember which file a message brought, as long as it may be revoked, within a transaction."""
    if isinstance(message.content, Media):
        pipeline.set(media_key(conversation, message.id), message.content.media_id, ex=_KEEP_MEDIA_ID_SECONDS)


def forget_media(pipeline: Any, conversation: str, media_ids: Iterable[str]) -> None:
    """Drop all that was understood of files which their senders took back, within a transaction."""
    for media_id in media_ids:
        pipeline.delete(*media_keys(conversation, media_id))


@dataclass(frozen=True, slots=True)
class ReadingCache:
    """Readings by the photo's own bytes: a photo that is sent again neither costs nor waits again.

    Each conversation has its own, because the time of an answer would tell what others have sent.
    """

    redis: Redis
    conversation: str

    async def of(self, photo: bytes) -> Reading | None:
        raw = await answer(self.redis.get(self._name(photo)))
        return _reading.validate_json(raw) if raw else None

    async def keep(self, photo: bytes, reading: Reading) -> None:
        await answer(self.redis.set(self._name(photo), _reading.dump_json(reading), ex=_KEEP_READING_SECONDS))

    def _name(self, photo: bytes) -> str:
        return key(self.conversation, "reading", hashlib.sha256(photo).hexdigest()[:32])

"""The files that people sent, kept by contact and day, because Meta keeps them for a week only."""

from __future__ import annotations

import asyncio
import mimetypes
from datetime import UTC

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import files, ledger
from bot.messages import Inbound, Media
from bot.redis import answer, key
from bot.storage.door import Storage, StorageFailed, TooLarge, segment

_log = structlog.get_logger()
# A slow storage may cost the customer this much of their turn, and no more.
_KEEP_SECONDS = 5.0


class Archive:
    """`media/{conversation}/{day}/{media id}` in the storage; the day is that of the message, in UTC."""

    def __init__(self, redis: Redis, storage: Storage) -> None:
        self._redis = redis
        self._storage = storage

    async def keep(self, conversation: str, message: Inbound, media_id: str, data: bytes, mime: str) -> None:
        """Keep a file as well as possible: a full disk is an operator's matter, not a lost answer."""
        day = message.sent_at.astimezone(UTC).date().isoformat()
        place = f"media/{conversation}/{day}/{segment(media_id)}"
        try:
            async with asyncio.timeout(_KEEP_SECONDS):
                # The note first, so that what is kept can be found again and erased.
                await answer(self._redis.set(_place(conversation, message.id), place, ex=ledger.KEEP_SECONDS))
                name = _name(message, mime)
                await self._storage.put(place, data, mime, name)
                if message.author == "person":
                    await files.note(self._redis, conversation, files.received(place, name, mime, len(data)))
        except (StorageFailed, TooLarge, RedisError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            _log.warning("media_not_archived", why=why, fix="see the line Storage of `recado doctor`")

    async def erase_message(self, conversation: str, message_id: str) -> None:
        """Erase the file of one message, which its sender took back; raises StorageFailed."""
        place = await answer(self._redis.get(_place(conversation, message_id)))
        if place is not None:
            await self._storage.delete(place)
            await files.strike(self._redis, conversation, place)
            await answer(self._redis.delete(_place(conversation, message_id)))


def _name(message: Inbound, mime: str) -> str:
    """What the sender called the file; else its kind and day, as phones name what they record."""
    content = message.content
    given = content.filename if isinstance(content, Media) else None
    ending = mimetypes.guess_extension(mime.partition(";")[0].strip()) or ""
    return files.safe_name(given or f"{content.kind} {message.sent_at:%Y-%m-%d %H.%M.%S}{ending}")


def _place(conversation: str, message_id: str) -> str:
    return key(conversation, "archived", message_id)

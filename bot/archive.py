"""The files that people sent, kept by contact and day, because Meta keeps them for a week only."""

from __future__ import annotations

import asyncio
from datetime import UTC

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import ledger
from bot.messages import Inbound
from bot.redis import answer, key
from bot.storage.door import Storage, StorageFailed, segment

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
                await self._storage.put(place, data, mime)
        except (StorageFailed, RedisError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            _log.warning("media_not_archived", why=why, fix="see STORAGE_DIR and the space left on its disk")

    async def erase_message(self, conversation: str, message_id: str) -> None:
        """Erase the file of one message, which its sender took back; raises StorageFailed."""
        place = await answer(self._redis.get(_place(conversation, message_id)))
        if place is not None:
            await self._storage.delete(place)
            await answer(self._redis.delete(_place(conversation, message_id)))

    async def erase(self, conversation: str) -> None:
        """Erase all that the person sent; raises StorageFailed."""
        await self._storage.delete(f"media/{conversation}")


def _place(conversation: str, message_id: str) -> str:
    return key(conversation, "archived", message_id)

"""Archives files that people sent by contact and day, because Meta keeps them for a week only."""

from __future__ import annotations

import asyncio
import mimetypes
from datetime import UTC

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.conversations import ledger
from bot.infra.metrics import FILES_NOT_KEPT
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound, Media
from bot.storage import file_index
from bot.storage.storage import Storage, StorageFailed, TooLarge, segment

_log = structlog.get_logger()
# Because the customer waits for an answer, a slow storage gets no more time than this.
_KEEP_SECONDS = 5.0


class Archive:
    """`media/{conversation}/{day}/{media id}` in the storage; the day is that of the message, in UTC."""

    def __init__(self, redis: Redis, storage: Storage, quota: file_index.Quota | None = None) -> None:
        self._redis = redis
        self._storage = storage
        self._quota = quota

    async def keep(self, conversation: str, message: Inbound, media_id: str, data: bytes, mime: str) -> bool:
        """Keep a file if possible; False when its sender has no space left for it.

        A failure of the storage is logged, and the turn goes on.
        """
        place = place_of(conversation, message, media_id)
        try:
            async with asyncio.timeout(_KEEP_SECONDS):
                await self._keep(conversation, message, place, data, mime)
        except file_index.NoSpace as full:
            FILES_NOT_KEPT.labels(full.why).inc()
            _log.info("file_not_kept", why=full.why, bytes=len(data), fix="see STORAGE_CONTACT_MB and …_MB_DAY")
            return False
        except (StorageFailed, TooLarge, RedisError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            _log.warning("media_not_archived", why=why, fix="see the line Storage of `recado doctor`")
        return True

    async def _keep(self, conversation: str, message: Inbound, place: str, data: bytes, mime: str) -> None:
        """Note the file before it is stored, so that it can be found and erased; raises NoSpace before that."""
        name = _name(message, mime)
        if message.author == "person":
            file = file_index.received(place, name, mime, len(data))
            for dropped in await file_index.add(self._redis, conversation, file, self._quota):
                await file_index.forget(self._redis, self._storage, dropped)
        else:
            await file_index.record_time(self._redis, place)
        await answer(self._redis.set(_place(conversation, message.id), place, ex=ledger.KEEP_SECONDS))
        try:
            await self._storage.put(place, data, mime, name)
        except (StorageFailed, TooLarge):
            await file_index.remove(self._redis, conversation, place)
            raise

    async def erase_message(self, conversation: str, message_id: str) -> None:
        """Erase the file of one message, which its sender took back; raises StorageFailed."""
        place = await answer(self._redis.get(_place(conversation, message_id)))
        if place is not None:
            await file_index.forget(self._redis, self._storage, place)
            await answer(self._redis.delete(_place(conversation, message_id)))


def place_of(conversation: str, message: Inbound, media_id: str) -> str:
    """Key of a message's file in the storage."""
    day = message.sent_at.astimezone(UTC).date().isoformat()
    return f"media/{conversation}/{day}/{segment(media_id)}"


def _name(message: Inbound, mime: str) -> str:
    """Name of the file by its sender, else by its kind and day."""
    content = message.content
    given = content.filename if isinstance(content, Media) else None
    ending = mimetypes.guess_extension(mime.partition(";")[0].strip()) or ""
    return file_index.safe_name(given or f"{content.kind} {message.sent_at:%Y-%m-%d %H.%M.%S}{ending}")


def _place(conversation: str, message_id: str) -> str:
    return key(conversation, "archived", message_id)

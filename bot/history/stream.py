"""The stream of what happened: written in the same step as it happened, read by the workers into the database.

Redis is the truth of what is in flight, and the database holds its projection. Each writer of Redis puts the entry into
its own transaction or script, so that the write and the entry come together or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.history.entries import Noted
from bot.infra.redis import answer

# Key of the stream, for scripts.
HISTORY = "recado:history"
# About half a gigabyte. Beyond it the oldest entries are given up, with an alert: a full Redis would stop everything.
MOST_ENTRIES = 300_000
_FIELD = "entry"
_GROUP = "history"
_UNREADABLE = "recado:history:unreadable"
_KEEP_UNREADABLE_SECONDS = 30 * 24 * 3600
_MOST_UNREADABLE = 10_000
_LOOKED_AT_ONCE = 1000

# Part of the inbox's script, for a message that was just stored. Its variables: `history` (key), `message_id`,
# `conversation`, `now`, `shown` (the message), and `ended`, its end state.
RECEIVED_SCRIPT = f"""
redis.call('XADD', history, '*', '{_FIELD}', '{{"version":1,"kind":"received","id":' .. cjson.encode(message_id)
  .. ',"conversation":"' .. conversation .. '","at":' .. now .. ',"state":"' .. ended
  .. '","message":' .. shown .. '}}')
"""
# Part of a script with the variables `history` (key) and `noted` (an entry, as `packed` gives it).
APPEND_SCRIPT = f"redis.call('XADD', history, '*', '{_FIELD}', noted)"


def packed(entry: Noted) -> str:
    """An entry as text, for a script."""
    return entry.model_dump_json(exclude_none=True)


def append(pipeline: Any, entry: Noted) -> None:
    """Append an entry within a transaction or a commit."""
    pipeline.xadd(HISTORY, {_FIELD: packed(entry)})


@dataclass(frozen=True, slots=True)
class StreamItem:
    """An entry in the stream; `raw` is None if it was given up or erased."""

    id: str
    raw: str | None


class HistoryStream:
    """The readers' side: each entry goes to one of the consumers, and stays until it is done."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def open(self) -> None:
        """Make the group of consumers, once for all of them."""
        try:
            await self._redis.xgroup_create(HISTORY, _GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def new(self, consumer: str, count: int, *, block_milliseconds: int) -> list[StreamItem]:
        """Entries that nobody has read; waits for the first one, but no longer than asked."""
        found = await self._redis.xreadgroup(_GROUP, consumer, {HISTORY: ">"}, count=count, block=block_milliseconds)
        return _items(found[0][1]) if found else []

    async def unfinished(self, consumer: str, count: int) -> list[StreamItem]:
        """Entries that this consumer has read and not done, the oldest first."""
        found = await self._redis.xreadgroup(_GROUP, consumer, {HISTORY: "0"}, count=count)
        return _items(found[0][1]) if found else []

    async def claim(self, consumer: str, count: int, *, idle_milliseconds: int) -> list[StreamItem]:
        """Take over entries that another consumer read so long ago: it has died."""
        found = await self._redis.xautoclaim(HISTORY, _GROUP, consumer, idle_milliseconds, "0-0", count=count)
        return _items(found[1])

    async def done(self, items: Sequence[StreamItem]) -> None:
        """Remove entries that are in the database."""
        ids = [item.id for item in items]
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.xack(HISTORY, _GROUP, *ids)
        pipeline.xdel(HISTORY, *ids)
        await pipeline.execute()

    async def set_aside(self, item: StreamItem) -> None:
        """Keep an entry that can't be written out of the others' way."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.rpush(_UNREADABLE, item.raw or "")
        pipeline.ltrim(_UNREADABLE, -_MOST_UNREADABLE, -1)
        pipeline.expire(_UNREADABLE, _KEEP_UNREADABLE_SECONDS)
        pipeline.xack(HISTORY, _GROUP, item.id)
        pipeline.xdel(HISTORY, item.id)
        await pipeline.execute()

    async def length(self) -> int:
        """The number of entries that are not in the database yet."""
        return int(await answer(self._redis.xlen(HISTORY)))

    async def give_up_oldest(self, most: int) -> int:
        """Keep no more entries than this; gives how many were given up."""
        return int(await answer(self._redis.xtrim(HISTORY, maxlen=most, approximate=False)))

    async def leave(self, consumer: str) -> None:
        """Sign a consumer off that has no unfinished entry; those of another one stay for `claim`."""
        for member in await self._redis.xinfo_consumers(HISTORY, _GROUP):
            if member["name"] == consumer and member["pending"] == 0:
                await self._redis.xgroup_delconsumer(HISTORY, _GROUP, consumer)

    async def forget_gone(self, idle_milliseconds: int) -> None:
        """Forget consumers that died long ago, once others have done their entries."""
        for member in await self._redis.xinfo_consumers(HISTORY, _GROUP):
            if member["pending"] == 0 and member["idle"] > idle_milliseconds:
                await self._redis.xgroup_delconsumer(HISTORY, _GROUP, member["name"])

    async def of(self, conversations: Collection[str]) -> list[dict[str, Any]]:
        """Entries of conversations that are not in the database yet."""
        return [json.loads(item.raw or "{}") for item in await self._about(conversations)]

    async def erase(self, conversations: Collection[str]) -> int:
        """Delete the entries of conversations, also unreadable ones; gives how many."""
        items = await self._about(conversations)
        if items:
            await self.done(items)
        aside = [raw for raw in await answer(self._redis.lrange(_UNREADABLE, 0, -1)) if _is_about(raw, conversations)]
        for raw in aside:
            await answer(self._redis.lrem(_UNREADABLE, 0, raw))
        return len(items) + len(aside)

    async def _about(self, conversations: Collection[str]) -> list[StreamItem]:
        found: list[StreamItem] = []
        start = "-"
        while items := _items(await self._redis.xrange(HISTORY, min=start, count=_LOOKED_AT_ONCE)):
            found += [item for item in items if item.raw is not None and _is_about(item.raw, conversations)]
            start = f"({items[-1].id}"
        return found


def _is_about(raw: str, conversations: Collection[str]) -> bool:
    # Names of conversations are random, so that no other text holds one by chance.
    return any(f'"{name}"' in raw for name in conversations)


def _items(found: Any) -> list[StreamItem]:
    return [StreamItem(id_, fields.get(_FIELD) if fields else None) for id_, fields in found]

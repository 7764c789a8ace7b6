"""The waiting list of each conversation, and the index of conversations in which something waits."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.infra.logs import masked
from bot.infra.queries import Query, ask
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound, Unsupported

_log = structlog.get_logger()
# Conversations in which something waits, by the time (Unix seconds) of the last message.
OPEN = "recado:open"

# Counted from the lists, because a stored number would drift when a list is merged, erased or trimmed. Redis adds them
# up, a thousand at a time, because 30,000 answers cost this process five times as much.
_COUNT = "local total = 0 for _, name in ipairs(KEYS) do total = total + redis.call('LLEN', name) end return total"
_COUNT_AT_ONCE = 1000


class Waiting:
    """Waiting messages of a conversation, and its score in the index (`listed_at`) when they were read."""

    def __init__(self, raw: list[str], listed_at: float | None) -> None:
        self._raw = raw
        self.listed_at = listed_at

    @cached_property
    def messages(self) -> list[Inbound]:
        """Parsed at first use, because some callers need only `listed_at`."""
        return [read_message(raw) for raw in self._raw]


class WaitingList:
    """Messages without an end state, by conversation, in the order of their arrival."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def messages(self, conversation: str) -> list[Inbound]:
        """The waiting messages of a conversation."""
        return (await ask(self._redis, waiting(conversation))).messages

    async def forget(self, conversation: str) -> None:
        """Remove a conversation from the index: it has joined another, or is erased."""
        await self._redis.zrem(OPEN, conversation)

    async def unfinished(self) -> list[str]:
        """Conversations with messages that have no end state yet."""
        names: list[str] = await self._redis.zrange(OPEN, 0, -1)
        return names

    async def overdue(self, seconds: float) -> list[str]:
        """Conversations whose last message came longer ago than this."""
        names: list[str] = await self._redis.zrangebyscore(OPEN, "-inf", time.time() - seconds, start=0, num=500)
        return names

    async def count(self) -> int:
        """Number of messages without an end state, over all conversations."""
        lists = [waiting_key(name) for name in await self.unfinished()]
        total = 0
        for start in range(0, len(lists), _COUNT_AT_ONCE):
            some = lists[start : start + _COUNT_AT_ONCE]
            total += int(await answer(self._redis.eval(_COUNT, len(some), *some)))
        return total


def read_message(raw: str) -> Inbound:
    """Parse a message of the list. An entry that this version of Recado can't read becomes an unreadable message."""
    try:
        return Inbound.model_validate_json(raw)
    except ValidationError:
        _log.error("waiting_message_unreadable", fix="was an older Recado started again on newer data?")
    found = re.search(r'"id":\s*"([^"]+)"', raw)
    now = datetime.now(UTC)
    content = Unsupported(type="unreadable")
    return Inbound(id=found[1] if found else masked(raw), sent_at=now, received_at=now, content=content)


def waiting(conversation: str) -> Query[Waiting]:
    """Query for the waiting messages."""
    commands = (("LRANGE", waiting_key(conversation), 0, -1), ("ZSCORE", OPEN, conversation))
    return Query(commands, lambda found: Waiting(found[0], _number(found[1])))


def _number(found: Any) -> float | None:
    return None if found is None else float(found)


def drop(pipeline: Any, conversation: str, count: int) -> None:
    """Take the first `count` messages off the waiting list, within a transaction."""
    pipeline.ltrim(waiting_key(conversation), count, -1)


def waiting_key(conversation: str) -> str:
    """Key of a conversation's waiting messages."""
    return key(conversation, "waiting")


async def add(redis: Redis, conversation: str, message: Inbound) -> None:
    """Put news of ours at the end of the waiting list; the caller asks for a turn."""
    pipeline = redis.pipeline(transaction=True)
    pipeline.zadd(OPEN, {conversation: time.time()})
    pipeline.rpush(waiting_key(conversation), message.model_dump_json(exclude_none=True))
    await pipeline.execute()

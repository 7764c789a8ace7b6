"""Ledger of messages: an entry is opened once on arrival, ended exactly once, and kept for 30 days."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.history import stream
from bot.history.entries import MessageRead, TurnClosed
from bot.infra.metrics import MESSAGES_ENDED
from bot.infra.redis import answer, key

# Meta delivers a message again for up to 7 days; a month leaves room for exceptions.
KEEP_SECONDS = 30 * 24 * 3600
_TRIM_AT_ONCE = 20

# Part of the inbox's script: opens an entry, or says that the message is `known`. Its variables: `ledger` and
# `ledger_order` (keys), `message_id`, `entry`, `now`.
OPEN_SCRIPT = f"""
local known = redis.call('HSETNX', ledger, message_id, entry) == 0
if not known then
  redis.call('ZADD', ledger_order, now, message_id)
  local old = redis.call('ZRANGEBYSCORE', ledger_order, '-inf', now - {KEEP_SECONDS}, 'LIMIT', 0, {_TRIM_AT_ONCE})
  if #old > 0 then
    redis.call('HDEL', ledger, unpack(old))
    redis.call('ZREM', ledger_order, unpack(old))
  end
  redis.call('EXPIRE', ledger, {KEEP_SECONDS})
  redis.call('EXPIRE', ledger_order, {KEEP_SECONDS})
end
"""


def keys(conversation: str) -> tuple[str, str]:
    """The ledger's two keys: entries by message id, and their order in time."""
    return key(conversation, "ledger"), key(conversation, "ledger", "order")


def entry(kind: str, received_at: datetime, state: str = "open") -> str:
    # Not json.dumps, which costs five times as much: kinds and states are our own words, without quotes.
    return f'{{"state": "{state}", "type": "{kind}", "received_at": "{received_at.isoformat()}"}}'


def end(pipeline: Any, conversation: str, entries: dict[str, dict[str, str]]) -> None:
    """Write end states, by message id, into a transaction; `ended` counts them once it has gone through."""
    for message_id, fields in entries.items():
        pipeline.hset(keys(conversation)[0], message_id, json.dumps(fields))


def hand_off(pipeline: Any, conversation: str, entries: dict[str, str], turn: str) -> None:
    """Let a turn's messages, of these stored entries, end as handed off: their answer did not leave."""
    noted = {}
    for message_id, raw_entry in entries.items():
        fields = json.loads(raw_entry)
        if fields.get("turn") == turn and fields["state"] in ("answered", "merged"):
            pipeline.hset(keys(conversation)[0], message_id, json.dumps(fields | {"state": "handed_off"}))
            noted[message_id] = MessageRead(state="handed_off")
    if noted:
        at = datetime.now(UTC)
        stream.append(pipeline, TurnClosed(id=turn, conversation=conversation, at=at, turn=turn, messages=noted))


def ended(entries: dict[str, dict[str, str]]) -> None:
    """Count messages whose end is now in the ledger: `failed: no model` counts as `failed`."""
    for fields in entries.values():
        MESSAGES_ENDED.labels(fields["state"].partition(":")[0]).inc()


async def knows(redis: Redis, conversation: str, message_id: str) -> bool:
    return bool(await answer(redis.hexists(keys(conversation)[0], message_id)))


async def copy(redis: Redis, source: str, target: str) -> None:
    """Let `target` know all messages of `source`; what it knows already stays as it is."""
    entries = await raw(redis, source)
    order: list[tuple[str, float]] = await redis.zrange(keys(source)[1], 0, -1, withscores=True)
    pipeline = redis.pipeline(transaction=False)
    for message_id, fields in entries.items():
        pipeline.hsetnx(keys(target)[0], message_id, fields)
    for message_id, at in order:
        pipeline.zadd(keys(target)[1], {message_id: at}, nx=True)
    for name in keys(target):
        pipeline.expire(name, KEEP_SECONDS)
    await pipeline.execute()


async def raw(redis: Redis, conversation: str) -> dict[str, str]:
    entries: dict[str, str] = await answer(redis.hgetall(keys(conversation)[0]))
    return entries


def adopt(pipeline: Any, conversation: str, entries: dict[str, str]) -> None:
    """Take over entries as they ended elsewhere, within a transaction; `copy` has put them in their order."""
    for message_id, fields in entries.items():
        pipeline.hset(keys(conversation)[0], message_id, fields)


class Ledger:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, conversation: str) -> dict[str, dict[str, str]]:
        """Entries of a conversation: `{message id: {state, type, received_at, …}}`."""
        raw: dict[str, str] = await answer(self._redis.hgetall(keys(conversation)[0]))
        return {message_id: json.loads(fields) for message_id, fields in raw.items()}

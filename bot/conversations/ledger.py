"""Ledger of messages: an entry is opened once on arrival, ended exactly once, and kept for 30 days.

An entry stands under the digest of its message's id and reads `type received turn state`. A hash with fields and
values of at most 64 bytes takes Redis a third of the room. Entries of earlier versions stand under whole ids, as JSON,
until they leave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from redis.asyncio import Redis

from bot.conversations import tombstones
from bot.history import stream
from bot.history.entries import MessageRead, TurnClosed
from bot.infra.metrics import MESSAGES_ENDED
from bot.infra.redis import answer, key

# Meta delivers a message again for up to 7 days; a month leaves room for exceptions.
KEEP_SECONDS = 30 * 24 * 3600
_TRIM_AT_ONCE = 20
_DIGEST = re.compile(r"[0-9a-f]{32}")
_NO_TURN = "-"
T = TypeVar("T")

# Part of the inbox's script: opens an entry, or says that the message is `known`. Its variables: `ledger` and
# `ledger_order` (keys), `message_id`, `message_digest`, `entry`, `now`.
OPEN_SCRIPT = f"""
local known = redis.call('HEXISTS', ledger, message_id) == 1
  or redis.call('HSETNX', ledger, message_digest, entry) == 0
if not known then
  redis.call('ZADD', ledger_order, string.format('%.0f', now), message_digest)
  local old = redis.call('ZRANGEBYSCORE', ledger_order, '-inf', now - {KEEP_SECONDS}, 'LIMIT', 0, {_TRIM_AT_ONCE})
  if #old > 0 then
    redis.call('HDEL', ledger, unpack(old))
    redis.call('ZREM', ledger_order, unpack(old))
  end
  redis.call('EXPIRE', ledger, {KEEP_SECONDS})
  redis.call('EXPIRE', ledger_order, {KEEP_SECONDS})
end
"""

# Lua function: whether an entry, or none, is still open.
IS_OPEN_SCRIPT = """
local function is_open(entry)
  if not entry then return false end
  if string.sub(entry, 1, 1) == '{' then return cjson.decode(entry).state == 'open' end
  return string.sub(entry, -5) == ' open'
end
"""


def keys(conversation: str) -> tuple[str, str]:
    """The ledger's two keys: entries by the digests of message ids, and their order in time."""
    return key(conversation, "ledger"), key(conversation, "ledger", "order")


def name_of(message_id: str) -> str:
    """The digest under which a message stands, here and among the tombstones."""
    return tombstones.digest(message_id)


def entry(kind: str, received_at: datetime, state: str = "open", turn: str = _NO_TURN) -> str:
    return f"{kind} {received_at.timestamp():.0f} {turn} {state}"


def flooded(state: str) -> str:
    """Part of the inbox's script: gives a new entry this end."""
    return f"entry = string.gsub(entry, 'open$', '{state}')"


def end(pipeline: Any, conversation: str, entries: dict[str, dict[str, str]]) -> None:
    """Write end states, by message id, into a transaction; `ended` counts them once it has gone through."""
    for message_id, fields in entries.items():
        pipeline.hset(keys(conversation)[0], name_of(message_id), _written(fields))


def hand_off(pipeline: Any, conversation: str, entries: dict[str, str], turn: str, wamids: Iterable[str]) -> None:
    """Let a turn's messages, of these stored entries, end as handed off: their answer did not leave.

    `wamids` are known messages of the conversation, because the history knows them by their whole ids.
    """
    taken = set()
    for name, raw_entry in entries.items():
        fields = _read(raw_entry)
        if fields.get("turn") == turn and fields["state"] in ("answered", "merged"):
            pipeline.hset(keys(conversation)[0], _digest_of(name), _written(fields | {"state": "handed_off"}))
            taken.add(_digest_of(name))
    noted = {wamid: MessageRead(state="handed_off") for wamid in wamids if name_of(wamid) in taken}
    if noted:
        at = datetime.now(UTC)
        stream.append(pipeline, TurnClosed(id=turn, conversation=conversation, at=at, turn=turn, messages=noted))


def ended(entries: dict[str, dict[str, str]]) -> None:
    """Count messages whose end is now in the ledger: `failed: no model` counts as `failed`."""
    for fields in entries.values():
        MESSAGES_ENDED.labels(fields["state"].partition(":")[0]).inc()


async def knows(redis: Redis, conversation: str, message_id: str) -> bool:
    found = await answer(redis.hmget(keys(conversation)[0], [name_of(message_id), message_id]))
    return any(entry is not None for entry in found)


async def copy(redis: Redis, source: str, target: str) -> None:
    """Let `target` know all messages of `source`; what it knows already stays as it is."""
    entries = await raw(redis, source)
    order: list[tuple[str, float]] = await redis.zrange(keys(source)[1], 0, -1, withscores=True)
    pipeline = redis.pipeline(transaction=False)
    for name, fields in entries.items():
        pipeline.hsetnx(keys(target)[0], name, fields)
    for name, at in order:
        pipeline.zadd(keys(target)[1], {name: at}, nx=True)
    for name in keys(target):
        pipeline.expire(name, KEEP_SECONDS)
    await pipeline.execute()


async def raw(redis: Redis, conversation: str) -> dict[str, str]:
    entries: dict[str, str] = await answer(redis.hgetall(keys(conversation)[0]))
    return entries


async def digests(redis: Redis, conversation: str) -> set[str]:
    """Digests of all known messages of a conversation."""
    return {_digest_of(name) for name in await raw(redis, conversation)}


def adopt(pipeline: Any, conversation: str, entries: dict[str, str]) -> None:
    """Take over entries as they ended elsewhere, within a transaction; `copy` has put them in their order."""
    for name, fields in entries.items():
        pipeline.hset(keys(conversation)[0], name, fields)


class ByMessage(Mapping[str, T]):
    """Values under digests of message ids, to be looked up by the ids."""

    def __init__(self, by_digest: Mapping[str, T]) -> None:
        self._by_digest = by_digest

    def __getitem__(self, message_id: str) -> T:
        return self._by_digest[_digest_of(message_id)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_digest)

    def __len__(self) -> int:
        return len(self._by_digest)


class Ledger:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, conversation: str) -> ByMessage[dict[str, str]]:
        """Entries of a conversation by message: `{state, type, received_at, …}`."""
        found = sorted((await raw(self._redis, conversation)).items(), key=lambda item: _is_digest(item[0]))
        return ByMessage({_digest_of(name): _read(fields) for name, fields in found})


def _is_digest(name: str) -> bool:
    return _DIGEST.fullmatch(name) is not None


def _digest_of(name: str) -> str:
    return name if _is_digest(name) else name_of(name)


def _written(fields: dict[str, str]) -> str:
    received = datetime.fromisoformat(fields["received_at"])
    return entry(fields["type"], received, fields["state"], fields.get("turn", _NO_TURN))


def _read(raw_entry: str) -> dict[str, str]:
    if raw_entry.startswith("{"):
        found: dict[str, str] = json.loads(raw_entry)
        return found
    kind, received, turn, state = raw_entry.split(" ", 3)
    fields = {"state": state, "type": kind, "received_at": datetime.fromtimestamp(int(received), UTC).isoformat()}
    return fields if turn == _NO_TURN else fields | {"turn": turn}

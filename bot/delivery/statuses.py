"""Delivery states of our messages, from Meta's statuses; and the index of conversations with a due send."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.conversations import ledger
from bot.conversations.tombstones import erased
from bot.delivery.fees import MetaFees
from bot.delivery.sent_wamids import forget_wamids, with_callbacks
from bot.delivery.service_messages import ServiceMessages
from bot.history import stream
from bot.history.entries import StatusNoted
from bot.infra.alerts import alert
from bot.infra.batch_scripts import BatchScript, Item
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import PRICING
from bot.infra.redis import answer, key
from bot.messages.inbound import Status

_OURS = re.compile(r"^(c_[0-9a-f]{20})\.[\w-]+\.\d+$")
# Conversations by the time (Unix seconds) at which something has to be sent in them.
DUE = "recado:resend"
_AT_ONCE = 500
# Meta counts us as a general-purpose assistant where this category appears.
_ASSISTANT = "general_purpose_ai"
_TOLD_SECONDS = 3600

# Statuses come in any order and repeatedly. A state only rises, and `failed` replaces only `sent`. A failure lists
# its conversation first, because a listed conversation with nothing due is harmless. Once a message is at the phone and
# the outbox knows it, only its status stays, to know a repeated one. The hash is then made anew, because a hash that
# held a long value stays large. Gives whether status and pricing are new.
_NOTE = BatchScript(
    f"""
    if redis.call('EXISTS', erased) == 1 then return {{0, 0}} end
    if status == 'failed' then redis.call('ZADD', due, now, conversation) end
    local priced = pricing ~= '' and redis.call('HSETNX', delivery, 'pricing', pricing) or 0
    local rank = {{sent = 1, failed = 2, delivered = 2, read = 3, played = 4}}
    local known = redis.call('HGET', delivery, 'status')
    local news = not (known and (rank[status] or 0) <= (rank[known] or 0))
    if news then
      redis.call('HSET', delivery, 'status', status)
      local recorded = redis.call('HGET', delivery, 'recorded')
      local arrived = status ~= 'failed' and (rank[status] or 0) >= 2
      if not (arrived and recorded) then redis.call('HSET', delivery, 'wamid', wamid, 'error', error_code) end
      if status == 'failed' then redis.call('RPUSH', failures, callback) end
      if arrived then redis.call('HDEL', delivery, 'reply') end
      if arrived and recorded and redis.call('HEXISTS', delivery, 'wamid') == 1 then
        local charge = redis.call('HGET', delivery, 'pricing')
        redis.call('DEL', delivery)
        redis.call('HSET', delivery, 'status', status, 'recorded', recorded)
        if charge then redis.call('HSET', delivery, 'pricing', charge) end
      end
    end
    redis.call('EXPIRE', delivery, {ledger.KEEP_SECONDS})
    if news or priced == 1 then {stream.APPEND_SCRIPT} end
    return {{news and 1 or 0, priced}}
    """,
    shared_keys=("due", "history"),
    shared_arguments=("now",),
    keys=("delivery", "failures", "erased"),
    arguments=("wamid", "status", "error_code", "pricing", "callback", "conversation", "noted"),
)

_REMOVE_IF_UNCHANGED = """
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '-1') == tonumber(ARGV[2]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
"""


# Postpones a conversation, unless something became due since its score (ARGV 2, or nothing) was read.
_WAIT = """
local now = redis.call('ZSCORE', KEYS[1], ARGV[1])
if now and tonumber(now) ~= tonumber(ARGV[2]) then return 0 end
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
"""


def delivery(conversation: str, callback: str) -> str:
    """Key of the delivery state of one message."""
    return key(conversation, "delivery", callback)


def failures(conversation: str) -> str:
    """Key of the messages that Meta accepted and then reported as failed, oldest first."""
    return key(conversation, "failures")


class DeliveryStatuses:
    """Statuses of our messages: the webhook writes them, the outbox reads them when an outcome is in doubt."""

    def __init__(self, redis: Redis, events: LiveEvents, fees: MetaFees | None = None) -> None:
        self._redis = redis
        self._fees = fees
        self._events = events
        self._service_messages = ServiceMessages(redis, events)

    async def record(self, statuses: list[Status]) -> list[bool | Exception]:
        """Store statuses: True for a new one. One of no message of ours belongs to another sender of this number."""
        statuses = await with_callbacks(self._redis, statuses)
        matches = [_OURS.match(status.callback or "") for status in statuses]
        ours = [(status, match) for status, match in zip(statuses, matches, strict=True) if match]
        items = [_item(status, match[1]) for status, match in ours]
        keys, now = (DUE, stream.HISTORY), (repr(time.time()),)
        noted = await _NOTE.run(self._redis, items, keys=keys, arguments=now) if items else []
        for (status, match), result in zip(ours, noted, strict=True):
            if not isinstance(result, Exception) and result[1]:
                await self._count_pricing(match[1], status)
        outcomes = iter(result if isinstance(result, Exception) else bool(result[0]) for result in noted)
        return [next(outcomes) if match else False for match in matches]

    async def _count_pricing(self, conversation: str, status: Status) -> None:
        if status.pricing is None:  # pragma: no cover - the script says so of none
            return
        kind, category = status.pricing
        PRICING.labels(category[:40], kind[:40]).inc()
        await self._service_messages.count(status.phone_number_id, kind, category)
        if self._fees is not None:
            await self._fees.count(conversation, status)
        alerted = f"recado:alerted:{_ASSISTANT}"
        if category == _ASSISTANT and await self._redis.set(alerted, "1", nx=True, ex=_TOLD_SECONDS):
            words = "Meta charges our messages as those of a general-purpose AI assistant"
            fix = "keep the prompts to the business's own goods and services, and appeal in Meta's Business Support"
            await alert(self._events, _ASSISTANT, words, fix)

    async def due(self) -> list[str]:
        """Conversations in which something has to be sent, or sent again, by now."""
        names: list[str] = await self._redis.zrangebyscore(DUE, "-inf", time.time(), start=0, num=_AT_ONCE)
        return names

    async def later(self, conversation: str, seconds: float) -> None:
        """List a conversation for after so many seconds."""
        await self._redis.zadd(DUE, {conversation: time.time() + seconds})

    async def wait(self, conversation: str, listed_at: float | None, until: float) -> None:
        """List a conversation for then, unless something became due since its score (`listed_at`) was read."""
        known = "" if listed_at is None else repr(listed_at)
        await answer(self._redis.eval(_WAIT, 1, DUE, conversation, known, repr(until)))

    async def done(self, conversation: str, listed_at: float | None) -> None:
        """Remove a conversation from the index, unless something became due since its score (`listed_at`) was read."""
        if listed_at is not None:
            await answer(self._redis.eval(_REMOVE_IF_UNCHANGED, 1, DUE, conversation, repr(listed_at)))

    async def forget(self, conversation: str) -> None:
        """Remove an erased conversation from the index, and the wamids of its messages."""
        await self._redis.zrem(DUE, conversation)
        await forget_wamids(self._redis, conversation)

    async def get(self, conversation: str, callback: str) -> Mapping[str, str]:
        """Delivery state of one message: wamid, status, error, pricing, asked_at, and while needed `reply`."""
        known: dict[str, str] = await answer(self._redis.hgetall(delivery(conversation, callback)))
        return known


def _item(status: Status, conversation: str) -> Item:
    callback, error = status.callback or "", "" if status.error is None else str(status.error)
    noted = StatusNoted(
        id=callback.partition(".")[2],
        conversation=conversation,
        at=datetime.now(UTC),
        wamid=status.wamid,
        status=status.status,
        error=status.error,
        pricing=status.pricing,
    )
    return Item(
        (delivery(conversation, callback), failures(conversation), erased(conversation)),
        (
            status.wamid,
            status.status,
            error,
            " ".join(status.pricing or ()),
            callback,
            conversation,
            stream.packed(noted),
        ),
    )


def event(conversation: str, reply: str, state: str, error: int | None, words: str) -> dict[str, Any]:
    """Delivery event for the open pages."""
    return {
        "type": "delivery",
        "conversation": conversation,
        "reply": reply,
        "state": state,
        "error": error,
        "words": words,
    }

"""What became of every message that we sent: asked, accepted, told by statuses; and where something is still due."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from bot.conversations import ledger
from bot.conversations.tombstones import erased
from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import PRICING
from bot.infra.redis import answer, key
from bot.messages.inbound import Status

_OURS = re.compile(r"^(c_[0-9a-f]{20})\.[\w-]+\.\d+$")
# Conversations by the time (Unix seconds) at which something has to be sent in them.
DUE = "recado:resend"
_AT_ONCE = 500
# Meta counts us as a general-purpose assistant where this category appears (docs/whatsapp.md, Statuses).
_ASSISTANT = "general_purpose_ai"
_TOLD_SECONDS = 3600

# Statuses come in any order and more than once: only upwards, and `failed` only over `sent`.
# KEYS 1 delivery, 2 failures to act on, 3 erased. ARGV wamid, status, error, pricing, callback.
# Gives news, pricing is news.
# What it said is kept only for as long as it may have to be sent again.
_NOTE = f"""
if redis.call('EXISTS', KEYS[3]) == 1 then return {{0, 0}} end
local priced = ARGV[4] ~= '' and redis.call('HSETNX', KEYS[1], 'pricing', ARGV[4]) or 0
local rank = {{sent = 1, failed = 2, delivered = 2, read = 3, played = 4}}
local now = redis.call('HGET', KEYS[1], 'status')
local news = not (now and (rank[ARGV[2]] or 0) <= (rank[now] or 0))
if news then
  redis.call('HSET', KEYS[1], 'wamid', ARGV[1], 'status', ARGV[2], 'error', ARGV[3])
  if ARGV[2] == 'failed' then redis.call('RPUSH', KEYS[2], ARGV[5]) end
  if (rank[ARGV[2]] or 0) >= 2 and ARGV[2] ~= 'failed' then redis.call('HDEL', KEYS[1], 'reply') end
end
redis.call('EXPIRE', KEYS[1], {ledger.KEEP_SECONDS})
return {{news and 1 or 0, priced}}
"""

_FORGET = """
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '-1') == tonumber(ARGV[2]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
"""


# Puts a conversation off, unless something became due since its place was looked at (ARGV 2, or nothing).
_WAIT = """
local now = redis.call('ZSCORE', KEYS[1], ARGV[1])
if now and tonumber(now) ~= tonumber(ARGV[2]) then return 0 end
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
"""


def delivery(conversation: str, callback: str) -> str:
    """The key of what is known of one message of ours."""
    return key(conversation, "delivery", callback)


def failures(conversation: str) -> str:
    """The key of the messages that Meta accepted and then told of a failure, oldest first."""
    return key(conversation, "failures")


class DeliveryStatuses:
    """What Meta says of our messages; told by the webhook, asked by the outbox when an outcome is in doubt."""

    def __init__(self, redis: Redis, events: LiveEvents) -> None:
        self._redis = redis
        self._events = events

    async def note(self, statuses: list[Status]) -> list[bool | Exception]:
        """Keep statuses: True for news. One without our callback is of another sender of this number: left alone."""
        pipeline = self._redis.pipeline(transaction=False)
        failed = [ours[1] for status in statuses if status.status == "failed" and (ours := _ours(status))]
        # The index first: a conversation that is listed with nothing due is harmless, the other way round is not.
        pipeline.zadd(DUE, dict.fromkeys(failed, time.time())) if failed else pipeline.echo("")
        for status in statuses:
            ours = _ours(status)
            if ours:
                callback, conversation = ours[0], ours[1]
                error = "" if status.error is None else str(status.error)
                told = (status.wamid, status.status, error, " ".join(status.pricing or ()), callback)
                keys = (delivery(conversation, callback), failures(conversation), erased(conversation))
                pipeline.eval(_NOTE, len(keys), *keys, *told)
            else:
                pipeline.echo("")
        listed, *results = await pipeline.execute(raise_on_error=False)
        if isinstance(listed, Exception):
            return [listed] * len(statuses)
        for status, one in zip(statuses, results, strict=True):
            await self._count(status, priced=isinstance(one, list) and bool(one[1]))
        return [one if isinstance(one, Exception) else isinstance(one, list) and bool(one[0]) for one in results]

    async def _count(self, status: Status, *, priced: bool) -> None:
        if status.pricing is None or not priced:
            return
        kind, category = status.pricing
        PRICING.labels(category[:40], kind[:40]).inc()
        told = f"recado:alerted:{_ASSISTANT}"
        if category == _ASSISTANT and await self._redis.set(told, "1", nx=True, ex=_TOLD_SECONDS):
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

    async def wait(self, conversation: str, mark: float | None, until: float) -> None:
        """List it for then, unless something became due since its place (`mark`) was looked at."""
        seen = "" if mark is None else repr(mark)
        await answer(self._redis.eval(_WAIT, 1, DUE, conversation, seen, repr(until)))

    async def done(self, conversation: str, mark: float | None) -> None:
        """Take a conversation off the list, unless something became due since its place was looked at."""
        if mark is not None:
            await answer(self._redis.eval(_FORGET, 1, DUE, conversation, repr(mark)))

    async def strike(self, conversation: str) -> None:
        """Take a conversation off the list for good: it is erased."""
        await self._redis.zrem(DUE, conversation)

    async def of(self, conversation: str, callback: str) -> Mapping[str, str]:
        """What is known of one message: wamid, status, error, pricing, asked_at, and while needed `reply`."""
        known: dict[str, str] = await answer(self._redis.hgetall(delivery(conversation, callback)))
        return known


def _ours(status: Status) -> re.Match[str] | None:
    return _OURS.match(status.callback or "")


def event(conversation: str, reply: str, state: str, error: int | None, words: str) -> dict[str, Any]:
    """A delivery's news for the open pages."""
    return {
        "type": "delivery",
        "conversation": conversation,
        "reply": reply,
        "state": state,
        "error": error,
        "words": words,
    }

"""Callbacks of sent messages by their wamids, for statuses in which Meta leaves our callback out.

A hash a day, because a key for each message would take Redis three times the room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from bot.infra.redis import answer
from bot.messages.inbound import Status

# Nearly all statuses come within a day, which ends in the hash of the next one. Meta repeats the callback as a rule, so
# that few need this.
_KEEP_SECONDS = 2 * 24 * 3600
_AT_ONCE = 1000


def note_wamid(pipeline: Any, wamid: str, callback: str) -> None:
    """Keep which message of ours this wamid names, in the pipeline that records it as sent."""
    today = _days()[0]
    pipeline.hset(today, _field(wamid), callback)
    pipeline.expire(today, _KEEP_SECONDS)


async def with_callbacks(redis: Redis, statuses: Sequence[Status]) -> list[Status]:
    """The statuses, each with our callback where its wamid is one of ours."""
    fields = [_field(status.wamid) for status in statuses if status.callback is None]
    if not fields:
        return list(statuses)
    pipeline = redis.pipeline(transaction=False)
    for day in _days():
        pipeline.hmget(day, fields)
    found = [next(filter(None, column), None) for column in zip(*await pipeline.execute(), strict=True)]
    callbacks = dict(zip(fields, found, strict=True))
    return [
        status
        if status.callback is not None
        else status.model_copy(update={"callback": callbacks[_field(status.wamid)]})
        for status in statuses
    ]


async def forget_wamids(redis: Redis, conversation: str) -> None:
    """Remove the wamids of messages to somebody who is erased."""
    for day in _days():
        found = redis.hscan_iter(day, count=_AT_ONCE)
        fields = [field async for field, callback in found if callback.partition(".")[0] == conversation]
        if fields:
            await answer(redis.hdel(day, *fields))


def _days() -> tuple[str, str]:
    """Names of today's hash and of yesterday's."""
    now = datetime.now(UTC)
    return f"recado:sent:{now:%Y-%m-%d}", f"recado:sent:{now - timedelta(days=1):%Y-%m-%d}"


def _field(wamid: str) -> str:
    # A wamid holds the person's phone.
    return hashlib.blake2b(wamid.encode(errors="replace"), digest_size=12).hexdigest()

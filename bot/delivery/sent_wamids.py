"""Callbacks of sent messages by their wamids, for statuses in which Meta leaves our callback out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from bot.messages.inbound import Status

# Nearly all statuses come within a day. Meta repeats the callback as a rule, so that few need this.
_KEEP_SECONDS = 24 * 3600
_AT_ONCE = 500


def note_wamid(pipeline: Any, wamid: str, callback: str) -> None:
    """Keep which message of ours this wamid names, in the pipeline that records it as sent."""
    pipeline.set(_key(wamid), callback, ex=_KEEP_SECONDS)


async def with_callbacks(redis: Redis, statuses: Sequence[Status]) -> list[Status]:
    """The statuses, each with our callback where its wamid is one of ours."""
    without = [status for status in statuses if status.callback is None]
    if not without:
        return list(statuses)
    known = await redis.mget([_key(status.wamid) for status in without])
    callbacks = dict(zip((status.wamid for status in without), known, strict=True))
    return [
        status if status.callback is not None else status.model_copy(update={"callback": callbacks[status.wamid]})
        for status in statuses
    ]


async def forget(redis: Redis, wamids: Sequence[str]) -> None:
    """Forget messages of an erased conversation."""
    for start in range(0, len(wamids), _AT_ONCE):
        await redis.unlink(*map(_key, wamids[start : start + _AT_ONCE]))


def _key(wamid: str) -> str:
    # A wamid holds the person's phone.
    return f"recado:sent:{hashlib.blake2b(wamid.encode(errors='replace'), digest_size=12).hexdigest()}"

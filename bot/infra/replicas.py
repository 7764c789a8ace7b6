"""Waits for replicas, so that a failover of Redis loses nothing that enough of them have acknowledged."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from redis.asyncio import Redis

from bot.infra.redis import MicroBatcher

# Less than a webhook has, and many times what a replica in the same region takes.
_WAIT_MILLISECONDS = 1000
_MARK = "recado:replicated"
FIX = "see that the replicas of Redis follow it (`recado doctor`), or lower REDIS_WAIT_REPLICAS"


class NotReplicated(OSError):
    """Fewer replicas than REDIS_WAIT_REPLICAS have what was written: a failover now may lose it."""


class Replicas:
    """`wanted` replicas have to acknowledge; with 0 nothing is asked, and nothing costs a round trip."""

    def __init__(self, redis: Redis, wanted: int) -> None:
        self._redis = redis
        self.wanted = wanted
        self._history: str | None = None
        self._history_since = 0.0
        self._together: MicroBatcher[float, bool] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Let many who ask at the same time share one round trip."""
        async with MicroBatcher(self._have).running() as together:
            self._together = together
            try:
                yield self
            finally:
                self._together = None

    async def caught_up(self) -> None:
        """Return when replicas have all that was written before; raises NotReplicated, and what Redis can."""
        if not self.wanted:
            return
        if self._together is not None:
            await self._together(time.monotonic())
            return
        (found,) = await self._have([time.monotonic()])
        if isinstance(found, Exception):
            raise found

    async def _have(self, written: list[float]) -> list[bool | Exception]:
        """For each moment (monotonic), whether what was written before it is on so many replicas."""
        pipeline = self._redis.pipeline(transaction=False)
        # WAIT counts from the last write of its own connection: this one comes after those of all the others.
        pipeline.set(_MARK, "1", ex=60)
        pipeline.wait(self.wanted, _WAIT_MILLISECONDS)
        pipeline.info("replication")
        _, acknowledged, info = await pipeline.execute()
        history = str(info.get("master_replid"))
        if history != self._history:
            # Since a failover another server answers, which may never have had what was written to the old one.
            self._history_since = time.monotonic() if self._history is not None else 0.0
            self._history = history
        if acknowledged < self.wanted:
            why = f"{acknowledged} of {self.wanted} replicas have acknowledged within {_WAIT_MILLISECONDS} ms"
            return [NotReplicated(why)] * len(written)
        return [
            True if at > self._history_since else NotReplicated("Redis was replaced by another one meanwhile")
            for at in written
        ]

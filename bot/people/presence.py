"""Operators who have the console open: their pages follow the live events, which note it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.infra.redis import answer

# Operators by the time (Unix seconds) at which a page of theirs was last open.
_PRESENT = "recado:operators:present"
# Streams note it every 15 seconds; a page that is loaded again is away for less than the second.
_LASTS_SECONDS = 45.0
_LEAVING_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class OperatorPresence:
    redis: Redis

    async def here(self, operator: str) -> None:
        """Note that an operator has a page open."""
        pipeline = self.redis.pipeline(transaction=True)
        pipeline.zremrangebyscore(_PRESENT, "-inf", time.time() - _LASTS_SECONDS)
        pipeline.zadd(_PRESENT, {operator: time.time()})
        await pipeline.execute()

    async def leaves(self, operator: str) -> None:
        """Let an operator be away in a moment, unless another page of theirs is open."""
        await answer(self.redis.zadd(_PRESENT, {operator: time.time() - _LASTS_SECONDS + _LEAVING_SECONDS}, xx=True))

    async def present(self) -> set[str]:
        """Operators who have the console open."""
        found: list[str] = await answer(self.redis.zrangebyscore(_PRESENT, time.time() - _LASTS_SECONDS, "+inf"))
        return set(found)

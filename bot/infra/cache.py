"""Slow answers of outside services, kept in Redis for a while.

A cache in each process would ask once a process, and would be empty after a restart during an outage.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.infra.locks import DELETE_IF_EQUAL
from bot.infra.redis import answer, shielded

_log = structlog.get_logger()
# A maker that takes longer is taken for dead, and another one may begin.
_MAKING_SECONDS = 30.0
# An old value is served for this long while a new one is made, or can't be made.
_STALE_SECONDS = 3600
# After a failure the old value is served without another try for this long.
_FAILED_SECONDS = 5.0

# A single step, because another process may keep the value between a look and a claim. KEYS 1 value, 2 fresh, 3 making.
_ASK = """
local value = redis.call('GET', KEYS[1])
if value and redis.call('EXISTS', KEYS[2]) == 1 then return {value, 'fresh'} end
local mine = redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2])
return {value, mine and 'mine' or 'theirs'}
"""

Make = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class _Names:
    value: str
    fresh: str
    making: str


@dataclass(frozen=True, slots=True)
class Cache:
    """Values by name, each made by one process at a time; the others get the old value, or wait for the first."""

    redis: Redis
    poll_seconds: float = 0.05

    async def get(self, name: str, ttl_seconds: float, make: Make) -> str:
        """The value (a text, such as JSON), at most so old; while it is made anew, an older one of up to an hour.

        Raises the error of `make` if there is no older value; a failure is not kept. Without Redis each call makes it.
        """
        names = _names(name)
        token = secrets.token_hex(8)
        while True:
            try:
                value, state = await self._ask(names, token)
            except (RedisError, OSError) as error:
                _log.warning("cache_away", error=type(error).__name__)
                return await make()
            if state == "mine":
                return await self._made(names, token, ttl_seconds, make, value)
            if value is not None:
                return value
            await asyncio.sleep(self.poll_seconds)

    async def _ask(self, names: _Names, token: str) -> tuple[str | None, str]:
        """The value if there is one, and its state: `fresh`, or made by us (`mine`) or by others (`theirs`)."""
        keys, milliseconds = (names.value, names.fresh, names.making), str(int(_MAKING_SECONDS * 1000))
        found: Any = await answer(self.redis.eval(_ASK, 3, *keys, token, milliseconds))
        return found[0], found[1]

    async def _made(self, names: _Names, token: str, ttl_seconds: float, make: Make, old: str | None) -> str:
        try:
            value = await make()
        except Exception as error:
            await self._let_go(names, token, _FAILED_SECONDS if old is not None else 0)
            if old is None:
                raise
            _log.warning("cache_stale", error=type(error).__name__)
            return old
        except BaseException:
            await shielded(self._let_go(names, token, 0))
            raise
        await self._keep(names, token, ttl_seconds, value)
        return value

    async def _keep(self, names: _Names, token: str, ttl_seconds: float, value: str) -> None:
        pipeline = self.redis.pipeline(transaction=True)
        milliseconds = max(1, int(ttl_seconds * 1000))
        pipeline.set(names.value, value, px=milliseconds + _STALE_SECONDS * 1000)
        pipeline.set(names.fresh, "1", px=milliseconds)
        pipeline.eval(DELETE_IF_EQUAL, 1, names.making, token)
        await self._quietly(pipeline.execute())

    async def _let_go(self, names: _Names, token: str, fresh_seconds: float) -> None:
        pipeline = self.redis.pipeline(transaction=True)
        if fresh_seconds:
            pipeline.set(names.fresh, "1", px=int(fresh_seconds * 1000))
        pipeline.eval(DELETE_IF_EQUAL, 1, names.making, token)
        await self._quietly(pipeline.execute())

    @staticmethod
    async def _quietly(work: Awaitable[object]) -> None:
        """Because the value is good without being kept, a failure is only logged."""
        try:
            await work
        except (RedisError, OSError) as error:
            _log.warning("cache_away", error=type(error).__name__)


def _names(name: str) -> _Names:
    # The braces keep the three in one slot of a Redis Cluster.
    value = f"recado:{{cache:{name}}}"
    return _Names(value, f"{value}:fresh", f"{value}:making")

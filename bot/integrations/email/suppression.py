"""Addresses that refused an e-mail for good. Sending to them again would make us look like spammers."""

from __future__ import annotations

import hashlib
import time

from redis.asyncio import Redis

from bot.infra.redis import answer


class Suppression:
    """A key for each address, by its digest: a person's can be erased, and the list reveals no address."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, address: str, provider: str, why: str) -> None:
        await answer(
            self._redis.hset(_key(address), mapping={"provider": provider, "why": why, "at": repr(time.time())})
        )

    async def why(self, address: str) -> str | None:
        """Reason for the suppression; None when the address is not on the list."""
        found: str | None = await answer(self._redis.hget(_key(address), "why"))
        return found

    async def lift(self, address: str) -> bool:
        """Take an address off the list; False when it wasn't there."""
        return bool(await self._redis.delete(_key(address)))


def _key(address: str) -> str:
    return f"recado:mail:suppressed:{hashlib.sha256(address.lower().encode()).hexdigest()}"

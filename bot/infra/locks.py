"""Locks in Redis that last as long as their work: renewed by their holder, free soon after its death."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.infra.redis import answer, shielded

# Deletes KEYS 1 if its value is ARGV 1; 0 where another value, or none, is there.
DELETE_IF_EQUAL = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"


class LockLost(Exception):
    """The work is done, but another holder may have worked at the same time."""


@asynccontextmanager
async def renewed_lock(
    redis: Redis, name: str, *, seconds: float, token: str | None = None, poll_seconds: float = 0.1
) -> AsyncIterator[None]:
    """Wait for the lock, and renew it while the block lasts; it is free `seconds` after its holder's death.

    Raises LockLost after a block that ends well, when the lock can't be given back as ours.
    """
    lock = redis.lock(name, timeout=seconds, sleep=poll_seconds)
    await lock.acquire(token=token)
    over = asyncio.Event()

    async def renew() -> None:
        with suppress(RedisError, OSError):
            await lock.reacquire()

    renewal = asyncio.create_task(renew_until(over, seconds / 3, renew))
    try:
        try:
            yield
        finally:
            over.set()
            await asyncio.wait({renewal})
    except BaseException:
        with suppress(RedisError, OSError):
            await shielded(lock.release())
        raise
    try:
        await shielded(lock.release())
    except (RedisError, OSError) as error:
        raise LockLost(name) from error


async def renew_until(over: asyncio.Event, every_seconds: float, renew: Callable[[], Awaitable[None]]) -> None:
    """Renew at this interval until `over` is set.

    An event stops it, because redis-py loses cancellations (see bot.infra.redis.cancel_and_wait): a renewal whose
    cancellation is lost would hold its lock for ever.
    """
    while not over.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(every_seconds):
                await over.wait()
                return
        await renew()


async def delete_if_equal(redis: Redis, name: str, value: str) -> bool:
    """Delete a key that still has this value, even if the caller is cancelled; False if it has another."""
    return bool(await shielded(answer(redis.eval(DELETE_IF_EQUAL, 1, name, value))))

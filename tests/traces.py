"""Traces of a person: the keys and files that still name them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.world import World


async def traces(world: World, *words: str) -> list[str]:
    """Every key in Redis, and every file, in whose name or value one of these words is."""
    redis, found = world.redis, []
    readers: dict[str, Callable[[str], Any]] = {
        "string": redis.get,
        "hash": redis.hgetall,
        "list": lambda name: redis.lrange(name, 0, -1),
        "set": redis.smembers,
        "zset": lambda name: redis.zrange(name, 0, -1),
        "stream": redis.xrange,
    }
    async for name in redis.scan_iter():
        value = f"{name} {await readers[await redis.type(name)](name)}"
        found += [name for word in words if word in value]
    kept = world.settings.storage.dir.rglob("*")
    return found + [str(path) for path in kept for word in words if word in str(path)]

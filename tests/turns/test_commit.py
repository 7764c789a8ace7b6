"""A turn writes its data in one step, whatever their size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.conversations.lease import ConversationLeases, Lease
from bot.conversations.memory import Memory
from bot.infra.redis import answer
from bot.settings import MemorySettings
from bot.turns.merge import ConversationMerger

MANY = [str(number) for number in range(20_001)]
WIDE: dict[str, Callable[[Any], Any]] = {
    "RPUSH": lambda pipeline: pipeline.rpush("wide", *MANY),
    "LPUSH": lambda pipeline: pipeline.lpush("wide", *MANY[::-1]),
    "SADD": lambda pipeline: pipeline.sadd("wide", *MANY),
    "HSET": lambda pipeline: pipeline.hset("wide", mapping=dict(zip(MANY, MANY, strict=True))),
}
NARROWER: dict[str, Callable[[Any], Any]] = {
    "HDEL": lambda pipeline: pipeline.hdel("wide", *MANY[1:]),
    "SREM": lambda pipeline: pipeline.srem("wide", *MANY[1:]),
    "ZREM": lambda pipeline: pipeline.zrem("wide", *MANY[1:]),
}


async def kept(redis: Redis, kind: str) -> list[Any]:
    match kind:
        case "RPUSH" | "LPUSH":
            return list(await answer(redis.lrange("wide", 0, -1)))
        case "SADD" | "SREM":
            return sorted(await answer(redis.smembers("wide")), key=int)
        case "ZREM":
            return list(await redis.zrange("wide", 0, -1))
        case _:
            return list(await answer(redis.hgetall("wide")))


@pytest.mark.parametrize("kind", [*WIDE, *NARROWER])
async def test_a_command_with_thousands_of_values_is_run_whole(redis: Redis, kind: str) -> None:
    leases, lease = ConversationLeases(redis, lease_seconds=60), Lease("c_1", "mine")
    await leases.acquire(lease)
    before: dict[str, Callable[[Any], Any]] = {
        "HDEL": WIDE["HSET"],
        "SREM": WIDE["SADD"],
        "ZREM": lambda pipeline: pipeline.zadd("wide", {member: float(member) for member in MANY}),
    }
    if kind in before:
        await answer(before[kind](redis))

    def write(pipeline: Any) -> None:
        pipeline.set("before", "1")
        (WIDE | NARROWER)[kind](pipeline)
        pipeline.set("after", "1")

    await leases.commit(lease, write)
    assert sorted(await kept(redis, kind), key=int) == (MANY if kind in WIDE else MANY[:1])
    if kind in ("RPUSH", "LPUSH"):
        assert await kept(redis, kind) == MANY
    assert await redis.mget("before", "after") == ["1", "1"]


async def test_thousands_of_keys_are_deleted_in_one_step(redis: Redis) -> None:
    leases, lease = ConversationLeases(redis, lease_seconds=60), Lease("c_1", "mine")
    await leases.acquire(lease)
    names = [f"recado:{{c_1}}:media:{number}" for number in MANY]
    await redis.mset(dict.fromkeys(names, "1"))
    await leases.commit(lease, lambda pipeline: pipeline.delete(*names))
    assert await redis.exists(*names) == 0


async def test_a_step_with_a_command_that_can_not_be_split_writes_nothing(redis: Redis) -> None:
    leases, lease = ConversationLeases(redis, lease_seconds=60), Lease("c_1", "mine")
    await leases.acquire(lease)

    def write(pipeline: Any) -> None:
        pipeline.set("before", "1")
        pipeline.zadd("wide", {member: float(member) for member in MANY}, nx=True)

    with pytest.raises(ValueError, match="ZADD"):
        await leases.commit(lease, write)
    assert await redis.exists("before", "wide") == 0


async def test_a_conversation_that_joins_brings_thousands_of_replies(redis: Redis) -> None:
    home, name = f"c_{'0' * 20}", f"c_{'1' * 20}"
    leases, lease = ConversationLeases(redis, lease_seconds=60), Lease(home, "mine")
    await leases.acquire(lease)
    await answer(redis.rpush(f"recado:{{{name}}}:outbox", *MANY))
    await ConversationMerger(redis, leases, Memory(redis, MemorySettings())).absorb(lease, name)
    assert await answer(redis.lrange(f"recado:{{{home}}}:outbox", 0, -1)) == MANY
    assert not await redis.exists(f"recado:{{{name}}}:outbox")

"""A lock in Redis: renewed while its holder works, given back when the work is over."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from bot.infra.locks import LockLost, delete_if_equal, renew_until, renewed_lock
from tests.processes import eventually


async def test_a_lock_is_renewed_while_the_block_lasts_and_free_after_it(redis: Redis) -> None:
    async def renewed() -> bool:
        return int(await redis.pttl("lock")) > 2_000

    async with renewed_lock(redis, "lock", seconds=3, token="mine"):
        assert await redis.get("lock") == "mine"
        await redis.pexpire("lock", 2_000)
        await eventually(renewed)
    assert not await redis.exists("lock")


async def test_a_second_holder_waits_for_the_first(redis: Redis) -> None:
    order: list[str] = []

    async def work(name: str) -> None:
        async with renewed_lock(redis, "lock", seconds=3, poll_seconds=0.01):
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(work("first"), work("second"))
    assert order in (
        ["first begins", "first ends", "second begins", "second ends"],
        ["second begins", "second ends", "first begins", "first ends"],
    )


async def test_a_lock_that_went_to_another_is_told_after_the_work_and_left_alone(redis: Redis) -> None:
    with pytest.raises(LockLost):
        async with renewed_lock(redis, "lock", seconds=60):
            await redis.set("lock", "another's")
    assert await redis.get("lock") == "another's"


async def test_an_error_of_the_block_is_raised_though_the_lock_went_to_another(redis: Redis) -> None:
    async def fail() -> None:
        async with renewed_lock(redis, "lock", seconds=60):
            await redis.set("lock", "another's")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


async def test_a_cancelled_holder_gives_its_lock_back(redis: Redis) -> None:
    held = asyncio.Event()

    async def work() -> None:
        async with renewed_lock(redis, "lock", seconds=60):
            held.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await held.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await redis.exists("lock")


async def test_renewing_ends_with_its_event_and_passes_errors_on() -> None:
    over, renewals = asyncio.Event(), 0

    async def renew() -> None:
        nonlocal renewals
        renewals += 1
        if renewals == 3:
            over.set()

    await renew_until(over, 0.001, renew)
    assert renewals == 3

    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await renew_until(asyncio.Event(), 0.001, fail)


async def test_only_the_expected_value_is_deleted(redis: Redis) -> None:
    await redis.set("name", "another's")
    assert not await delete_if_equal(redis, "name", "mine")
    assert await redis.get("name") == "another's"
    assert await delete_if_equal(redis, "name", "another's")
    assert not await redis.exists("name")

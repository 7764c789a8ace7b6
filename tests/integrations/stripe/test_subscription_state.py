"""Stored state of a subscription: one worker at a time changes it, for as long as its work takes."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from bot.integrations.stripe.subscription_state import SubscriptionStates
from tests.processes import eventually


async def test_a_customer_is_held_for_as_long_as_the_work_takes(redis: Redis) -> None:
    states, order = SubscriptionStates(redis, lock_seconds=3), []

    async def renewed() -> bool:
        (lock,) = await redis.keys("*cus_1*:lock")
        return int(await redis.pttl(lock)) > 2_000

    async def work(name: str, begun: asyncio.Event) -> None:
        async with states.lock("cus_1"):
            order.append(f"{name} begins")
            begun.set()
            (lock,) = await redis.keys("*cus_1*:lock")
            await redis.pexpire(lock, 2_000)
            await eventually(renewed)
            order.append(f"{name} ends")

    async with asyncio.TaskGroup() as group:
        first = asyncio.Event()
        group.create_task(work("first", first))
        await first.wait()
        group.create_task(work("second", asyncio.Event()))
    assert order == ["first begins", "first ends", "second begins", "second ends"]

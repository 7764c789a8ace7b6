"""A worker that is told to stop: what it has taken it finishes, and what it has not taken it leaves to others."""

from __future__ import annotations

import asyncio
import random

import pytest
from redis.asyncio import Redis

from bot.infra import queue_admin, queues
from bot.infra.queues import Job, working
from bot.settings import RedisSettings
from tests.waiting import PATIENCE


@pytest.fixture
def settings(redis_address: str, monkeypatch: pytest.MonkeyPatch) -> RedisSettings:
    monkeypatch.setenv("REDIS_URL", redis_address)
    return RedisSettings()


async def test_a_job_that_comes_in_the_moment_of_the_end_is_done_or_left(redis: Redis, settings: RedisSettings) -> None:
    chance = random.Random(9)
    done: list[str] = []

    async def process(task: Job) -> None:
        await asyncio.sleep(0.01)
        done.append(task.key)

    added = 0
    for _ in range(40):
        async with working({"email": process}, settings, concurrency=5):
            await asyncio.sleep(chance.uniform(0, 0.01))
            for _again in range(3):
                await queues.add(redis, "email", "send", {}, f"job-{added}")
                added += 1
        found = await queue_admin.counts(redis, "email")
        assert (found["active"], found["failed"]) == (0, 0)
        assert len(done) + found["waiting"] == added
    async with working({"email": process}, settings, concurrency=5), asyncio.timeout(PATIENCE):
        while len(done) < added:
            await asyncio.sleep(0.01)
    assert sorted(done) == sorted(f"job-{number}" for number in range(added))


async def test_who_finishes_what_is_in_hand_keeps_its_lock(redis: Redis, settings: RedisSettings) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def process(_: Job) -> None:
        begun.set()
        await may_end.wait()

    async def work() -> None:
        async with working({"email": process}, settings, concurrency=5):
            await begun.wait()

    await queues.add(redis, "email", "send", {}, "long")
    worker = asyncio.create_task(work())
    await begun.wait()
    # It is closing by now. The lock is renewed before half of its time is over.
    async with asyncio.timeout(PATIENCE):
        left = later = await redis.pttl("bull:email:long:lock")
        while later <= left:
            await asyncio.sleep(0.05)
            left, later = later, await redis.pttl("bull:email:long:lock")
    may_end.set()
    await worker
    assert (await queue_admin.counts(redis, "email"))["completed"] == 1

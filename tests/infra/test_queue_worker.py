"""A worker that is told to stop: what it has taken it finishes, and what it has not taken it leaves to others."""

from __future__ import annotations

import asyncio
import random
from contextvars import ContextVar
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from bot.infra import queue_admin, queues
from bot.infra.queues import Job, working
from bot.settings import RedisSettings
from tests.relay import Relay
from tests.waiting import PATIENCE, at_most


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


async def test_no_more_jobs_are_in_hand_than_the_concurrency_says(redis: Redis, settings: RedisSettings) -> None:
    in_hand, most, done = 0, 0, 0

    async def process(_: Job) -> None:
        nonlocal in_hand, most, done
        in_hand += 1
        most = max(most, in_hand)
        await asyncio.sleep(0.005)
        in_hand -= 1
        done += 1

    for number in range(60):
        await queues.add(redis, "email", "send", {}, f"job-{number}")
    async with working({"email": process}, settings, concurrency=7), asyncio.timeout(PATIENCE):
        while done < 60:
            await asyncio.sleep(0.01)
    assert most == 7
    assert (await queue_admin.counts(redis, "email"))["completed"] == 60


async def test_a_job_sees_nothing_of_the_context_of_the_one_before(redis: Redis, settings: RedisSettings) -> None:
    mark = ContextVar("mark", default="")
    seen: list[str] = []

    async def process(task: Job) -> None:
        seen.append(mark.get())
        mark.set(task.key)

    for number in range(20):
        await queues.add(redis, "email", "send", {}, f"job-{number}")
    async with working({"email": process}, settings, concurrency=1), asyncio.timeout(PATIENCE):
        while len(seen) < 20:
            await asyncio.sleep(0.01)
    assert set(seen) == {""}


async def test_jobs_that_wait_are_left_when_the_worker_rests(redis: Redis, settings: RedisSettings) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def process(task: Job) -> None:
        begun.set()
        await may_end.wait()
        done.append(task.key)

    async def work() -> None:
        async with working({"email": process}, settings, concurrency=2):
            await begun.wait()

    for number in range(9):
        await queues.add(redis, "email", "send", {}, f"job-{number}")
    worker = asyncio.create_task(work())
    await begun.wait()
    await asyncio.sleep(0.05)
    may_end.set()
    async with asyncio.timeout(PATIENCE):
        await worker
    found = await queue_admin.counts(redis, "email")
    assert 1 <= len(done) <= 2
    assert (found["active"], found["waiting"]) == (0, 9 - len(done))


async def test_a_failure_is_tried_again_and_the_last_one_is_kept(redis: Redis, settings: RedisSettings) -> None:
    tries: dict[str, int] = {}

    async def process(task: Job) -> None:
        tries[task.key] = tries.get(task.key, 0) + 1
        if task.key == "bad" or (task.key == "late" and tries[task.key] == 1):
            raise ValueError("no")
        if task.key == "rejected":
            raise queues.JobRejected("not like this")
        if task.key == "later" and tries[task.key] < 3:
            raise queues.RetryLater(0.05, "not yet")

    for name in ("bad", "late", "rejected", "later"):
        await queues.add(redis, "email", "send", {}, name, attempts=2, wait_seconds=0.05)
    async with working({"email": process}, settings, concurrency=5), asyncio.timeout(PATIENCE):
        while (found := await queue_admin.counts(redis, "email"))["completed"] + found["failed"] < 4:
            await asyncio.sleep(0.02)
    assert tries == {"bad": 2, "late": 2, "rejected": 1, "later": 3}
    assert (found["completed"], found["failed"]) == (2, 2)


async def test_jobs_in_hand_of_a_worker_that_is_forced_to_end_go_to_another(
    redis: Redis, settings: RedisSettings
) -> None:
    begun = asyncio.Event()
    done: list[str] = []

    async def stuck(_: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def process(task: Job) -> None:
        done.append(task.key)

    async def work() -> None:
        async with working({"email": stuck}, settings, concurrency=3):
            await asyncio.Event().wait()

    for number in range(5):
        await queues.add(redis, "email", "send", {}, f"job-{number}")
    worker = asyncio.create_task(work())
    await begun.wait()
    async with asyncio.timeout(PATIENCE):
        while not worker.done():
            # Once to end, and again to give the jobs in hand up.
            worker.cancel()
            await asyncio.wait({worker}, timeout=0.1)
        async with working({"email": process}, settings, concurrency=3):
            while len(done) < 5:
                await asyncio.sleep(0.05)
    assert sorted(done) == [f"job-{number}" for number in range(5)]


async def test_an_idle_queue_is_seldom_asked(redis: Redis, settings: RedisSettings) -> None:
    async def process(_: Job) -> None:
        """Nothing comes."""

    async with working({"email": process}, settings, concurrency=50):
        await asyncio.sleep(0.3)
        before = (await redis.info("stats"))["total_commands_processed"]
        await asyncio.sleep(1)
        after = (await redis.info("stats"))["total_commands_processed"]
    assert after - before < 10


async def test_a_worker_that_finds_no_redis_as_it_begins_works_as_soon_as_there_is_one(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, redis_address: str
) -> None:
    done = asyncio.Event()

    async def process(_: Job) -> None:
        done.set()

    relay = Relay(urlsplit(redis_address).port or 0)
    async with relay.open() as url:
        monkeypatch.setenv("REDIS_URL", url)
        async with working({"email": process}, RedisSettings(), concurrency=1):
            relay.away = True
            relay.slam()
            async with at_most():
                while relay.turned_away < 20:
                    await asyncio.sleep(0.01)
            relay.away = False
            await queues.add(redis, "email", "send", {}, "job-1")
            async with at_most():
                await done.wait()

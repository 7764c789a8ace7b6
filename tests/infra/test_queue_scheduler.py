"""Requests for jobs: passed on at once, held back in a flood, and added all the same at the end."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from bot.infra import queue_admin
from bot.infra.queues import JobScheduler
from bot.infra.redis import answer, connect
from bot.settings import RedisSettings
from tests.processes import eventually


@pytest.mark.parametrize("rounds", range(6))
async def test_jobs_asked_for_at_the_end_are_added(
    redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_address)
    client = connect(RedisSettings())
    async with JobScheduler(client).running() as scheduler:
        for number in range(300):
            scheduler.turn(f"conversation-{number}", f"job-{number}")
        for _ in range(rounds):
            await asyncio.sleep(0)
    await client.aclose()
    assert (await queue_admin.counts(redis, "llm"))["waiting"] == 300


async def waiting(redis: Redis, count: int) -> list[str]:
    """Wait until so many jobs were added; their ids, the oldest first."""

    async def added() -> bool:
        return (await queue_admin.counts(redis, "llm"))["waiting"] >= count

    await eventually(added)
    return list(reversed(await answer(redis.lrange("bull:llm:wait", 0, -1))))


async def test_a_lone_job_is_added_at_once_and_those_of_a_flood_are_held_back(redis: Redis) -> None:
    async with JobScheduler(redis, ebb_seconds=3600, longest_held_seconds=3600).running() as flooded:
        flooded.turn("conversation-1", "lone")
        assert await waiting(redis, 1) == ["lone"]
        flooded.in_flood()
        flooded.turn("conversation-2", "held")
        async with JobScheduler(redis).running() as other:
            other.turn("conversation-3", "of another process")
            assert await waiting(redis, 2) == ["lone", "of another process"]
    assert await waiting(redis, 3) == ["lone", "of another process", "held"]


async def test_jobs_of_a_flood_are_added_when_it_is_over(redis: Redis) -> None:
    async with JobScheduler(redis, ebb_seconds=0.01, longest_held_seconds=3600).running() as scheduler:
        for number in range(300):
            scheduler.in_flood()
            scheduler.turn(f"conversation-{number}", f"job-{number}")
        assert await waiting(redis, 300) == [f"job-{number}" for number in range(300)]


async def test_a_flood_without_end_does_not_hold_jobs_back_for_ever(redis: Redis) -> None:
    async with JobScheduler(redis, ebb_seconds=3600, longest_held_seconds=0.01).running() as scheduler:
        scheduler.in_flood()
        for name in ("first", "second"):
            scheduler.turn(name, name)
            assert name in await waiting(redis, 1 if name == "first" else 2)

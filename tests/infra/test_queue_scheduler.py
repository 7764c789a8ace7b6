"""Jobs that are asked for in the moment of the end are added all the same."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from bot.infra import queue_admin
from bot.infra.queues import JobScheduler
from bot.infra.redis import connect
from bot.settings import RedisSettings


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

"""The pause that all workers heed, ended by asking a real server that speaks as Meta does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.cli.doctor import examine
from bot.delivery.pause import SendingPause
from bot.infra.live_events import LiveEvents
from bot.settings import WhatsAppSettings
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, Remedy
from sandbox.meta.simulator import MetaSimulator
from tests.processes import eventually
from tests.world import World

EXPIRED = GraphError(190, "Access token has expired", Remedy.FIX_SETTINGS)
Door = Callable[[str], Graph]


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """Our client with any token, before one Meta that knows one."""
    meta = MetaSimulator(webhook_url="http://127.0.0.1:1", app_secret="s", access_token="good", verify_token="v")
    url = await meta.start()
    async with aiohttp.ClientSession() as http:
        yield lambda token: Graph(
            http,
            WhatsAppSettings(access_token=SecretStr(token), phone_number_id=meta.phone_number_id, api_base_url=url),
        )
    await meta.stop()


async def _is(outcome: Awaitable[bool]) -> bool:
    return await outcome


async def test_it_ends_when_meta_takes_the_token_again_and_not_before(redis: Redis, door: Door) -> None:
    pause = SendingPause(redis, LiveEvents(redis))
    assert await pause.is_over(door("good"))
    await pause.begin(EXPIRED)
    found = await pause.current()
    assert found is not None
    assert found.code == 190
    assert not await pause.is_over(door("good")), "it is asked after a while, not at once"
    await redis.hset("recado:{paused}", "probe_at", "0")  # type: ignore[misc] # as if that while were over
    assert not await pause.is_over(door("wrong"))
    await redis.hset("recado:{paused}", "probe_at", "0")  # type: ignore[misc]
    assert await pause.is_over(door("good"))
    assert await pause.current() is None


async def test_each_probe_that_fails_puts_the_next_one_off_for_longer(redis: Redis, door: Door) -> None:
    pause = SendingPause(redis, LiveEvents(redis))
    await pause.begin(EXPIRED)
    waits = []
    for _ in range(3):
        await redis.hset("recado:{paused}", "probe_at", "0")  # type: ignore[misc]
        before = float((await redis.time())[0])
        assert not await pause.is_over(door("wrong"))
        waits.append(float(await redis.hget("recado:{paused}", "probe_at") or 0) - before)  # type: ignore[misc]
    assert [round(wait, -1) if wait > 20 else round(wait / 4) * 4 for wait in waits] == [4, 8, 16]


async def test_one_worker_asks_and_the_others_wait(redis: Redis, door: Door) -> None:
    pause = SendingPause(redis, LiveEvents(redis))
    await pause.begin(EXPIRED)
    await redis.hset("recado:{paused}", "probe_at", "0")  # type: ignore[misc]
    await redis.set("recado:{paused}:probing", "1")
    assert not await pause.is_over(door("good"))


async def test_doctor_tells_of_the_pause(world: World) -> None:
    findings = {finding.integration: finding for finding in await examine(world.settings)}
    assert findings["Sending"].state == "ok"
    await SendingPause(world.redis, LiveEvents(world.redis)).begin(EXPIRED)
    findings = {finding.integration: finding for finding in await examine(world.settings)}
    assert findings["Sending"].wrong
    assert "Meta's error 190" in findings["Sending"].words
    await eventually(lambda: _over(world))
    findings = {finding.integration: finding for finding in await examine(world.settings)}
    assert findings["Sending"].state == "ok"


async def _over(world: World) -> bool:
    return await SendingPause(world.redis, LiveEvents(world.redis)).current() is None

"""The limit of a number's messages a second, as Meta tells it and as its refusals do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.delivery.rate_limiter import SendRateLimiter
from bot.infra.redis import cancel_and_wait
from bot.settings import WhatsAppSettings
from bot.whatsapp.client import Graph
from sandbox.meta.simulator import MetaSimulator
from tests.processes import eventually

NUMBER = "106540352242922"


@asynccontextmanager
async def watched(
    redis: Redis, takes: int, *, token: str = "good", wanted: int | None = None
) -> AsyncIterator[SendRateLimiter]:
    """The limiter of a worker, while Meta takes so many messages a second of the number."""
    meta = MetaSimulator(
        webhook_url="http://127.0.0.1:1", app_secret="s", access_token="good", verify_token="v", throughput=takes
    )
    url, found = await meta.start(), SendRateLimiter(redis, wanted)
    async with aiohttp.ClientSession() as http:
        settings = WhatsAppSettings(access_token=SecretStr(token), phone_number_id=NUMBER, api_base_url=url)
        watching = asyncio.create_task(found.throughput.watch(Graph(http, settings)))
        try:
            yield found
        finally:
            await cancel_and_wait(watching)
            await meta.stop()


async def is_raised(send_rate: SendRateLimiter) -> bool:
    return send_rate.throughput.of(NUMBER) == 1000


async def test_a_number_that_meta_has_raised_sends_a_thousand_a_second(redis: Redis) -> None:
    async with watched(redis, takes=1000) as send_rate:
        assert send_rate.throughput.of(NUMBER) == 80
        await eventually(lambda: is_raised(send_rate))
        assert send_rate.throughput.of("another number") == 80


async def test_where_meta_does_not_tell_its_refusal_does(redis: Redis) -> None:
    async with watched(redis, takes=80, token="one that may not ask") as send_rate:
        await eventually(lambda: is_raised(send_rate))
    assert max(await waits(send_rate, 200)) == 0
    await send_rate.hold_number(NUMBER)
    # 16 at once, and then 64 in each second.
    late = sorted(await waits(send_rate, 144))
    assert [round(late[15] - late[0]), round(late[-1] - late[15])] == [0, 2]


async def test_a_limit_that_is_set_is_not_asked_for(redis: Redis) -> None:
    async with watched(redis, takes=1000, wanted=20) as send_rate:
        assert (send_rate.throughput.of(NUMBER), send_rate.throughput.after_refusal(NUMBER)) == (20, 20)


async def waits(send_rate: SendRateLimiter, messages: int) -> list[float]:
    """Seconds that these messages to different people wait, all asked for at once."""
    pipeline = send_rate.redis.pipeline(transaction=False)
    for person in range(messages):
        send_rate.reserve(pipeline, f"c_{person}", NUMBER, longest_wait=60)
    found = await pipeline.execute()
    return [max(pair) / 1000 for pair in zip(found[::2], found[1::2], strict=True)]

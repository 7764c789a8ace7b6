"""Slow reads are asked for once, whoever asks at the same time, and an old answer helps over a failure."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.infra.cache import Cache
from tests.waiting import PATIENCE


class Slow:
    """Something slow: it counts who asks, and answers or fails when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> str:
        self.asked += 1
        number = self.asked
        await self.open.wait()
        if self.error:
            raise self.error
        return f"value {number}"


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def cache(redis: Redis) -> Cache:
    return Cache(redis, poll_seconds=0.005)


async def until_asked(slow: Slow, times: int = 1) -> None:
    async with asyncio.timeout(PATIENCE):
        while slow.asked < times:
            await asyncio.sleep(0.002)


async def test_many_who_ask_at_once_cost_one_question(cache: Cache, redis: Redis, slow: Slow) -> None:
    other = Cache(redis, poll_seconds=0.005)
    asking = [
        asyncio.create_task(process_cache.get("plans", 60, slow)) for process_cache in (cache, other) for _ in range(20)
    ]
    await until_asked(slow)
    slow.open.set()
    assert set(await asyncio.gather(*asking)) == {"value 1"}
    assert await cache.get("plans", 60, slow) == "value 1"
    assert slow.asked == 1


async def test_an_old_value_serves_while_a_new_one_is_made(cache: Cache, slow: Slow) -> None:
    slow.open.set()
    await cache.get("plans", 0.001, slow)
    await asyncio.sleep(0.01)
    slow.open.clear()
    maker = asyncio.create_task(cache.get("plans", 60, slow))
    await until_asked(slow, 2)
    assert await cache.get("plans", 60, slow) == "value 1"
    slow.open.set()
    assert await maker == "value 2"
    assert await cache.get("plans", 60, slow) == "value 2"


async def test_a_failure_is_the_askers_and_is_not_kept(cache: Cache, slow: Slow) -> None:
    slow.open.set()
    slow.error = ValueError("down")
    with pytest.raises(ValueError, match="down"):
        await cache.get("plans", 60, slow)
    slow.error = None
    assert await cache.get("plans", 60, slow) == "value 2"


async def test_an_old_value_helps_over_a_failure_without_asking_at_once_again(cache: Cache, slow: Slow) -> None:
    slow.open.set()
    await cache.get("plans", 0.001, slow)
    await asyncio.sleep(0.01)
    slow.error = ValueError("down")
    assert await cache.get("plans", 60, slow) == "value 1"
    assert await cache.get("plans", 60, slow) == "value 1"
    assert slow.asked == 2


async def test_a_maker_that_is_given_up_lets_the_next_one_try(cache: Cache, slow: Slow) -> None:
    maker = asyncio.create_task(cache.get("plans", 60, slow))
    await until_asked(slow)
    maker.cancel()
    await asyncio.gather(maker, return_exceptions=True)
    slow.open.set()
    assert await cache.get("plans", 60, slow) == "value 2"


async def test_each_name_has_a_value_of_its_own(cache: Cache, redis: Redis, slow: Slow) -> None:
    slow.open.set()
    assert await cache.get("plans", 60, slow) == "value 1"
    assert await cache.get("prices", 60, slow) == "value 2"
    assert await redis.exists("recado:{cache:plans}")


async def test_without_redis_it_is_slow_but_there(slow: Slow) -> None:
    slow.open.set()
    async with Redis(port=9, decode_responses=True, retry=Retry(NoBackoff(), 0)) as away:
        assert await Cache(away).get("plans", 60, slow) == "value 1"

"""Work of many requests that goes to Redis together: one that fails takes no other with it, and never the loop."""

import asyncio
from collections.abc import Sequence

import pytest
from redis.exceptions import RedisError

from bot.infra.redis import MicroBatcher
from tests.waiting import PATIENCE

ERRORS = [ValueError, KeyError, RecursionError, AssertionError, ZeroDivisionError, UnicodeError]


@pytest.mark.parametrize("error", ERRORS)
async def test_an_unexpected_error_fails_its_own_item_alone_and_the_next_batch_is_done(error: type[Exception]) -> None:
    async def work(items: list[int]) -> Sequence[int | Exception]:
        await asyncio.sleep(0)
        if 3 in items:
            raise error("nobody thought of it")
        return [2 * item for item in items]

    async with MicroBatcher(work).running() as together, asyncio.timeout(PATIENCE):
        results = await asyncio.gather(*map(together, range(6)), return_exceptions=True)
        assert [type(result) for result in results] == [int, int, int, error, int, int]
        assert [await call for call in (together(7), together(8))] == [14, 16]


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_a_wrong_number_of_results_is_an_error_of_the_batch_alone(count: int) -> None:
    answers = [[1] * count]

    async def work(items: list[int]) -> Sequence[int | Exception]:
        return answers.pop() if answers else list(items)

    async with MicroBatcher(work).running() as together, asyncio.timeout(PATIENCE):
        with pytest.raises(RuntimeError):
            await asyncio.gather(together(1), together(2))
        assert await together(5) == 5


@pytest.mark.parametrize("error", [RedisError("away"), OSError("away"), ConnectionResetError()])
async def test_redis_that_is_away_is_told_to_all_of_a_batch_once(error: Exception) -> None:
    calls: list[int] = []

    async def work(items: list[int]) -> Sequence[int | Exception]:
        calls.append(len(items))
        raise error

    async with MicroBatcher(work).running() as together, asyncio.timeout(PATIENCE):
        results = await asyncio.gather(*map(together, range(4)), return_exceptions=True)
    assert (results, calls) == ([error] * 4, [4])


async def test_an_item_that_takes_too_long_fails_and_the_others_keep_their_own_time() -> None:
    answered = asyncio.Event()

    async def work(items: list[int]) -> Sequence[int | Exception]:
        if 1 in items:
            await answered.wait()
        return items

    async with MicroBatcher(work, seconds=0.05).running() as together, asyncio.timeout(PATIENCE):
        waiting = together(1)
        with pytest.raises(TimeoutError):
            await waiting
        late = together(2)
        with pytest.raises(TimeoutError):
            await late
        answered.set()
        assert await together(3) == 3

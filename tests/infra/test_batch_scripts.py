"""Scripts over a batch: one call, results in order, an item that fails fails alone, and one may end the batch."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ReadOnlyError, ResponseError

from bot.infra.batch_scripts import BatchScript, Item
from bot.infra.redis import answer

_PUSH = BatchScript(
    """
    if word == 'end' then return end
    if word == 'nonsense' then return word + 1 end
    return {redis.call('RPUSH', list, prefix .. word), word}
    """,
    keys=("list",),
    arguments=("word",),
    shared_arguments=("prefix",),
)


async def push(redis: Redis, *words: tuple[str, str]) -> list[Any]:
    return await _PUSH.run(redis, [Item((name,), (word,)) for name, word in words], arguments=(">",))


async def test_items_are_done_in_order_and_each_gets_its_result(redis: Redis) -> None:
    assert await push(redis, ("a", "one"), ("b", "two"), ("a", "three")) == [[1, "one"], [1, "two"], [2, "three"]]
    assert await answer(redis.lrange("a", 0, -1)) == [">one", ">three"]
    assert await push(redis) == []


@pytest.mark.parametrize("broken", [("text", "two"), ("a", "nonsense")], ids=["refused by Redis", "a fault in Lua"])
async def test_an_item_that_fails_fails_alone(redis: Redis, broken: tuple[str, str]) -> None:
    await redis.set("text", "no list")
    first, failed, last = await push(redis, ("a", "one"), broken, ("a", "three"))
    assert (first, last) == ([1, "one"], [2, "three"])
    assert isinstance(failed, ResponseError)


async def test_an_item_without_a_result_ends_the_batch(redis: Redis) -> None:
    assert await push(redis, ("a", "one"), ("a", "end"), ("a", "three")) == [[1, "one"]]
    words = [("a", "more")] * 150
    assert len(await push(redis, *words, ("a", "end"), *words)) == 150
    assert await answer(redis.llen("a")) == 151


async def test_a_redis_that_forgot_the_script_is_given_it_again(redis: Redis) -> None:
    for _ in range(2):
        assert len(await push(redis, ("a", "one"))) == 1
        await redis.script_flush()


async def test_a_replica_refuses_the_whole_batch(redis: Redis) -> None:
    await push(redis, ("a", "one"))
    await redis.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(ReadOnlyError):
            await push(redis, ("a", "two"))
    finally:
        await redis.replicaof("NO", "ONE")

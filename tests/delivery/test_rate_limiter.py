"""The limiter that all workers share, on a real Redis and its clock."""

from __future__ import annotations

from itertools import pairwise

from redis.asyncio import Redis

from bot.delivery.rate_limiter import SendRateLimiter


async def wait(send_rate: SendRateLimiter, conversation: str, patience: float = 0) -> float:
    """What a message to this person would have to wait, in seconds; booked when that is within the patience."""
    pipeline = send_rate.redis.pipeline(transaction=False)
    send_rate.reserve(pipeline, conversation, "1", longest_wait=patience)
    return float(max(await pipeline.execute())) / 1000


async def test_a_burst_to_one_person_is_borrowed_from_the_minutes_that_follow(redis: Redis) -> None:
    send_rate = SendRateLimiter(redis, 1000)
    assert [await wait(send_rate, "c_1") for _ in range(45)] == [0] * 45
    assert 5 < await wait(send_rate, "c_1") <= 6
    assert await wait(send_rate, "c_2") == 0


async def test_what_is_not_booked_costs_nothing(redis: Redis) -> None:
    send_rate = SendRateLimiter(redis, 1000)
    waits = [await wait(send_rate, "c_1") for _ in range(60)]
    assert max(waits) <= 6


async def test_waits_within_the_patience_are_booked_one_behind_the_other(redis: Redis) -> None:
    send_rate = SendRateLimiter(redis, 1)
    waits = [await wait(send_rate, f"c_{n}", patience=60) for n in range(4)]
    assert waits[0] == 0
    assert [round(later - earlier) for earlier, later in pairwise(waits)] == [1, 1, 1]


async def test_two_limiters_over_one_redis_are_one(redis: Redis) -> None:
    first, second = SendRateLimiter(redis, 1000), SendRateLimiter(redis, 1000)
    for number in range(45):
        assert await wait(first if number % 2 else second, "c_1") == 0
    assert await wait(first, "c_1") > 5


async def test_a_person_that_meta_holds_back_waits_longer_each_time_and_others_do_not(redis: Redis) -> None:
    send_rate = SendRateLimiter(redis, 1000)
    assert await send_rate.hold_person("c_1") == 1
    # Of many refusals at the same time, one counts.
    assert 0 < await send_rate.hold_person("c_1") <= 1
    assert 0 < await wait(send_rate, "c_1") <= 1
    assert await wait(send_rate, "c_2") == 0
    await redis.hset("recado:{c_1}:pace", "held_until", "0")  # type: ignore[misc] # as if that second were over
    await redis.hset("recado:{c_1}:pace", "hits", "3")  # type: ignore[misc]
    assert await send_rate.hold_person("c_1") == 1


async def test_a_number_that_meta_holds_back_waits_for_everybody(redis: Redis) -> None:
    send_rate = SendRateLimiter(redis, 1000)
    assert await send_rate.hold_number("1") == 1
    assert 0 < await wait(send_rate, "c_1") <= 1
    assert 0 < await wait(send_rate, "c_2") <= 1

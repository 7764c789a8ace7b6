"""A batch of statuses is noted by one script: each once, only upwards, and each alone where it fails."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.conversations.tombstones import erased
from bot.delivery.statuses import DUE, DeliveryStatuses, delivery, failures
from bot.infra.live_events import LiveEvents
from bot.infra.redis import answer
from bot.messages.inbound import Status

ANA, LUIS = "c_0123456789abcdef0123", "c_0123456789abcdef4567"


def status(conversation: str, state: str, number: int = 0) -> Status:
    return Status(wamid=f"wamid.{number}", status=state, callback=f"{conversation}.reply.{number}")


async def test_a_batch_is_noted_in_order_and_what_is_not_ours_is_left_alone(redis: Redis) -> None:
    statuses = DeliveryStatuses(redis, LiveEvents(redis))
    foreign = Status(wamid="wamid.1", status="failed", callback="of another sender")
    batch = [status(ANA, "sent"), foreign, status(ANA, "read"), status(ANA, "delivered"), status(LUIS, "failed")]
    assert await statuses.record(batch) == [True, False, True, False, True]
    assert await statuses.record(batch) == [False] * 5
    assert (await statuses.get(ANA, f"{ANA}.reply.0"))["status"] == "read"
    assert await answer(redis.lrange(failures(LUIS), 0, -1)) == [f"{LUIS}.reply.0"]
    assert await redis.zrange(DUE, 0, -1) == [LUIS]
    assert await statuses.record([foreign]) == [False]


async def test_a_status_that_can_not_be_noted_does_not_cost_the_others(redis: Redis) -> None:
    await redis.set(delivery(ANA, f"{ANA}.reply.0"), "no hash")
    first, second = await DeliveryStatuses(redis, LiveEvents(redis)).record([status(ANA, "sent"), status(LUIS, "sent")])
    assert isinstance(first, ResponseError)
    assert second is True


async def test_nothing_is_noted_of_somebody_who_was_erased(redis: Redis) -> None:
    await redis.set(erased(ANA), "1")
    statuses = DeliveryStatuses(redis, LiveEvents(redis))
    assert await statuses.record([status(ANA, "failed"), status(LUIS, "failed")]) == [False, True]
    assert await redis.zrange(DUE, 0, -1) == [LUIS]
    assert await redis.keys(f"*{ANA}*") == [erased(ANA)]

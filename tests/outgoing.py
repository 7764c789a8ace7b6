"""Helpers of delivery tests: get a person acquainted, put replies into the outbox, read events and metrics."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from bot.delivery import reply_queue
from bot.infra.queues import JobScheduler
from bot.infra.redis import answer, key
from bot.messages.outbound import Part, Reply
from sandbox.meta.simulator import Person
from tests.processes import eventually
from tests.waiting import at_most
from tests.world import World


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


async def conversation_of(world: World, person: Person) -> str:
    found: str = await world.redis.get(f"recado:identity:{person.bsuid}")
    return found


async def acquainted(world: World, person: Person, *, hours_ago: float = 0) -> str:
    """Let the person write and be answered, and clear the simulator's record; returns the conversation."""
    await world.meta.writes(person, text("hola"))
    await world.meta.replies(person)
    conversation = await conversation_of(world, person)
    await eventually(lambda: free(world.redis, conversation))
    world.meta.accepted.clear()
    if hours_ago:
        last = datetime.now(UTC) - timedelta(hours=hours_ago)
        world.meta.chats.of(person).last_inbound = last
        await answer(world.redis.hset(key(conversation, "contact"), "last_inbound_at", str(last.timestamp())))
    return conversation


async def free(redis: Redis, conversation: str) -> bool:
    return not await redis.exists(key(conversation, "lease"))


async def put(world: World, conversation: str, person: Person, *parts: Part, name: str = "x1", **more: Any) -> None:
    """Put a reply into the outbox and add the job of a turn."""
    reply = Reply(id=name, parts=parts, phone=person.phone, bsuid=person.bsuid, **more)
    pipeline = world.redis.pipeline(transaction=True)
    reply_queue.put(pipeline, conversation, reply)
    await pipeline.execute()
    await request_turn(world, conversation, f"{conversation}-{name}")


async def request_turn(world: World, conversation: str, job: str) -> None:
    async with JobScheduler(world.redis).running() as scheduler:
        scheduler.turn(conversation, job)


def bodies(world: World, person: Person) -> list[str]:
    return [sent.text for sent in world.meta.sent_to(person)]


async def metric(world: World, name: str, **labels: str) -> float:
    async with world.http.get(f"{world.url}/metrics") as response:
        page = await response.text()
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


async def empty(world: World, conversation: str) -> bool:
    """Whether the outbox is empty and no worker holds the conversation."""
    waiting = await answer(world.redis.llen(key(conversation, "outbox")))
    failed = await answer(world.redis.llen(key(conversation, "failures")))
    return not waiting and not failed and await free(world.redis, conversation)


@asynccontextmanager
async def events(redis: Redis) -> AsyncIterator[Callable[[str], Awaitable[dict[str, Any]]]]:
    """A function that returns the next published event of a type, while the context lasts."""
    subscription = redis.pubsub(ignore_subscribe_messages=True)
    await subscription.subscribe("recado:events")

    async def following(kind: str) -> dict[str, Any]:
        async with at_most():
            while True:
                message = await subscription.get_message(timeout=1)
                found: dict[str, Any] = json.loads(message["data"]) if message else {}
                if found.get("type") == kind:
                    return found

    yield following
    await subscription.aclose()  # type: ignore[no-untyped-call] # redis-py 7 has no types for it

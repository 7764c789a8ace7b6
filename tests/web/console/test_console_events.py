"""Live events of the console: they go on where a stream broke, or say that some are lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bot.conversations.contacts import Contacts
from bot.infra.live_events import LiveEvents
from sandbox.meta.simulator import Person
from tests.console import BEARER, add_operator, program
from tests.outgoing import acquainted, text
from tests.waiting import PATIENCE
from tests.world import Start, World

Event = tuple[str, str, dict[str, Any]]


@asynccontextmanager
async def stream(world: World, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    """Events with their ids and names, of a program's stream."""
    url = f"{world.url}/console/api/events"
    async with world.http.get(url, headers=BEARER | headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")

        async def read() -> AsyncIterator[Event]:
            found = {"id": "", "event": "message", "data": ""}
            async for raw in response.content:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                if name in found:
                    found[name] = value
                if not name and found["data"]:
                    yield found["id"], found["event"], json.loads(found["data"])
                    found = {"id": "", "event": "message", "data": ""}

        yield read()


async def test_a_stream_that_broke_goes_on_without_a_gap(start: Start) -> None:
    world = await start(workers=0)
    events = LiveEvents(world.redis)
    async with stream(world) as live:
        await _subscribed(world)
        await events.publish({"type": "test", "number": 1})
        place, name, first = await anext(live)
        assert (name, first["number"]) == ("message", 1)
    await events.publish({"type": "asked", "requests": []})
    for number in (2, 3):
        await events.publish({"type": "test", "number": number})
    async with stream(world, **{"Last-Event-ID": place}) as live:
        found = [(await anext(live))[2]["number"] for _ in range(2)]
    assert found == [2, 3]


async def test_after_a_gap_that_nobody_can_fill_the_page_reads_all_again(start: Start) -> None:
    world = await start(workers=0)
    await LiveEvents(world.redis).publish({"type": "test", "number": 1})
    seconds, _ = await world.redis.time()
    for place in (f"{(seconds - 700) * 1000}-0", f"{(seconds + 700) * 1000}-0", "nonsense", "1-1; DROP"):
        async with stream(world, **{"Last-Event-ID": place}) as live:
            newest, name, event = await anext(live)
            assert (name, event["type"]) == ("reset", "reset")
        async with stream(world, **{"Last-Event-ID": newest}) as live:
            await _subscribed(world)
            await LiveEvents(world.redis).publish({"type": "test", "number": 2})
            assert (await anext(live))[2]["number"] == 2


async def test_one_caller_can_not_take_the_streams_of_all(world: World) -> None:
    eva = await add_operator(world, "Eva")
    async with AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(stream(world))
        assert (await program(world).get("events")).code == "streams_full"
        url, cookie = f"{world.url}/console/api/events", {"Cookie": f"recado_session={eva.cookie}"}
        async with world.http.get(url, headers=cookie) as response:
            assert response.status == 200


async def test_a_message_is_told_once_the_history_shows_it(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await Contacts(world.redis).set_handed_off(conversation, handed_off=True)
    async with stream(world) as live:
        await _subscribed(world)
        await world.meta.writes(ana, text("¿hay alguien?"))
        async for _, _, event in live:
            if event["type"] == "history" and conversation in event["conversations"]:
                page = await program(world).get(f"conversations/{conversation}/messages")
                if any(message["text"] == "¿hay alguien?" for message in page.body["messages"]):
                    break


async def test_the_stream_is_for_those_who_are_logged_in(start: Start) -> None:
    world = await start(workers=0)
    eva = await add_operator(world, "Eva")
    async with world.http.get(f"{world.url}/console/api/events") as response:
        assert response.status == 401
    cookie = {"Cookie": f"recado_session={eva.cookie}"}
    async with world.http.get(f"{world.url}/console/api/events", headers=cookie) as response:
        assert response.status == 200


async def _subscribed(world: World) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await world.redis.pubsub_numsub("recado:events"))[0][1] == 0:
            await asyncio.sleep(0.02)

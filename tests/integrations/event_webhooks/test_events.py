"""Events of a conversation reach the company's ERP, each once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.web.server import listening
from sandbox.meta.simulator import Person
from sandbox.simulators.event_subscriber import ErpSimulator, new_secret
from sandbox.simulators.openrouter import calls, says
from tests.console import program
from tests.processes import eventually, running
from tests.turns.test_conversation import conversation_of, settled, text
from tests.world import Start, World

SECRET = new_secret()
Open = Callable[..., Awaitable[tuple[World, ErpSimulator]]]


@pytest.fixture
async def subscribed(start: Start) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def begin(**options: Any) -> tuple[World, ErpSimulator]:
            erp = ErpSimulator(SECRET)
            url = await stack.enter_async_context(listening(erp.app(), "127.0.0.1", 0, finish=0.1))
            world = await start(
                WEBHOOK_SUBSCRIBERS=f"{url}/events",
                WEBHOOK_SECRET=SECRET,
                WEBHOOK_ALLOW_PRIVATE="true",
                **options,
            )
            return world, erp

        yield begin


async def heard(erp: ErpSimulator, kind: str, count: int = 1) -> list[dict[str, Any]]:
    """The events of a kind, as soon as there are so many."""

    async def enough() -> list[dict[str, Any]]:
        found = [event for event in erp.events if event["type"] == kind]
        return found if len(found) >= count else []

    return await eventually(enough)


async def test_a_message_its_answer_and_a_hand_over_are_told(subscribed: Open, ana: Person) -> None:
    world, erp = await subscribed()
    world.models.will(calls(("talk_to_a_person", {"reason": "Quiere una devolución"})), says("Te escribe alguien."))
    wamid = await world.meta.writes(ana, text("quiero hablar con una persona"))
    (sent,) = await world.meta.replies(ana)
    conversation = await conversation_of(world, ana)
    contact = {"phone": ana.phone, "bsuid": ana.bsuid, "name": "Ana"}
    (received,) = await heard(erp, "message.received")
    at = received["data"].pop("at")
    assert at.startswith("20")
    assert received["data"] == {
        "conversation": conversation,
        "contact": contact,
        "message": wamid,
        "type": "text",
        "text": "quiero hablar con una persona",
    }
    (answered,) = await heard(erp, "message.sent")
    assert answered["data"]["wamid"] == sent.wamid
    assert answered["data"]["text"] == "Te escribe alguien."
    assert answered["data"]["contact"] == contact
    (handed,) = await heard(erp, "conversation.handoff")
    assert handed["data"] == {
        "conversation": conversation,
        "contact": contact,
        "to": "person",
        "quiet": True,
        "reason": "Quiere una devolución",
    }
    # Wamids contain the person's number, and ids appear in logs and queues.
    assert all(event["id"].partition("-")[0] in ("message", "conversation") for event in erp.events)
    bearer = {"Authorization": "Bearer console-token"}
    await world.http.post(f"{world.url}/console/conversations/{conversation}/give-back", headers=bearer)
    _, back = await heard(erp, "conversation.handoff", 2)
    assert (back["data"]["to"], back["data"]["quiet"]) == ("bot", False)
    assert {event["times"] for event in erp.events} == {1}
    assert erp.refused == []


async def test_a_closed_conversation_is_told_once_until_it_was_open_again(subscribed: Open, ana: Person) -> None:
    world, erp = await subscribed(history=True)
    await world.meta.writes(ana, text("hola"), at=datetime.now(UTC) - timedelta(seconds=5))
    await world.meta.replies(ana)
    client, path = program(world), f"conversations/{await conversation_of(world, ana)}"

    async def shows(state: str) -> bool:
        return bool((await client.get(path)).body["state"] == state)

    for _ in range(2):
        assert (await client.post(f"{path}/close")).status == 200
        await eventually(lambda: shows("closed"))
    await world.meta.writes(ana, text("otra cosa"))
    await heard(erp, "message.received", 2)
    await eventually(lambda: shows("bot"))
    await client.post(f"{path}/close")
    assert len(await heard(erp, "conversation.closed", 2)) == 2
    assert len({event["id"] for event in erp.events if event["type"] == "conversation.closed"}) == 2


async def test_a_reaction_and_every_message_of_a_burst_are_told(subscribed: Open, ana: Person) -> None:
    world, erp = await subscribed()
    first = await world.meta.writes(ana, text("hola"))
    second = await world.meta.writes(ana, text("¿abren hoy?"))
    await world.meta.replies(ana)
    reaction = await world.meta.writes(ana, {"type": "reaction", "reaction": {"message_id": first, "emoji": "👍"}})
    events = await heard(erp, "message.received", 3)
    # Several are sent at the same time: the subscriber may get them in any order.
    told = {event["data"]["message"]: event["data"]["type"] for event in events}
    assert told == {first: "text", second: "text", reaction: "reaction"}


async def test_what_meta_refuses_and_what_it_could_not_deliver_are_told_as_failed(
    subscribed: Open, ana: Person
) -> None:
    world, erp = await subscribed()
    world.meta.will_refuse(131026)
    await world.meta.writes(ana, text("hola"))
    (refused,) = await heard(erp, "message.failed")
    assert (refused["data"]["error"], refused["data"]["wamid"]) == (131026, None)
    world.meta.will_fail(131026)
    await world.meta.writes(ana, text("¿hola?"))
    _, failed = await heard(erp, "message.failed", 2)
    (sent,) = await heard(erp, "message.sent")
    assert failed["data"]["error"] == 131026
    assert failed["data"]["wamid"] == sent["data"]["wamid"]
    assert failed["data"]["message"] == sent["data"]["message"]


async def test_a_worker_killed_while_it_sends_tells_everything_once(subscribed: Open, ana: Person) -> None:
    world, erp = await subscribed(workers=0)
    world.meta.will_delay(3)
    async with running("worker") as worker:
        await world.meta.writes(ana, text("hola"))
        await world.meta.wait_for(lambda: world.meta.accepted)
        worker.process.kill()
        await worker.process.wait()
    async with running("worker") as worker:
        # The first worker's delivery may have died with it. Another worker has to notice.
        await heard(erp, "message.received")
        await heard(erp, "message.sent")
        await settled(world)
        assert await worker.stop() == 0
    assert sorted(event["type"] for event in erp.events) == ["message.received", "message.sent"]
    # The event may have been accepted just before the kill without a note: it comes again under its id.
    assert {event["times"] for event in erp.events if event["type"] == "message.sent"} == {1}
    assert str(ana.phone) not in worker.text
    assert "hola" not in worker.text


async def test_without_subscribers_a_conversation_adds_nothing_to_the_queue(world: World, ana: Person) -> None:
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    await settled(world)
    assert [name async for name in world.redis.scan_iter("bull:webhook:*") if "meta" not in name] == []

"""A person is called, the bot is quiet until the conversation is given back, and operators see it as it happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from bot.conversations.ledger import Ledger
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.waiting import PATIENCE
from tests.world import World

BEARER = {"Authorization": "Bearer console-token"}


async def events(world: World) -> AsyncIterator[dict[str, Any]]:
    async with world.http.get(f"{world.url}/console/events", headers=BEARER) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        async for raw in response.content:
            if raw.startswith(b"data: "):
                yield json.loads(raw[6:])


async def test_a_called_person_is_seen_by_operators_and_the_bot_stays_quiet_until_given_back(
    world: World, ana: Person
) -> None:
    seen: list[dict[str, Any]] = []

    async def watch() -> None:
        async for event in events(world):
            seen.append(event)  # noqa: PERF401 - seen as it comes, not at the end

    watching = asyncio.create_task(watch())
    async with asyncio.timeout(PATIENCE):
        while (await world.redis.pubsub_numsub("recado:events"))[0][1] == 0:
            await asyncio.sleep(0.02)
    world.models.will(calls(("talk_to_a_person", {"reason": "Quiere una devolución"})), says("Te escribe alguien."))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "quiero hablar con una persona"}})
    await world.meta.replies(ana)
    async with asyncio.timeout(PATIENCE):
        while not any(event["type"] == "handoff" for event in seen):
            await asyncio.sleep(0.02)
    handoff = next(event for event in seen if event["type"] == "handoff")
    assert (handoff["on"], handoff["reason"]) == (True, "Quiere una devolución")

    wamid = await world.meta.writes(ana, {"type": "text", "text": {"body": "¿sigues ahí?"}})
    async with asyncio.timeout(PATIENCE):
        while (await Ledger(world.redis).of(handoff["conversation"]))[wamid]["state"] == "open":
            await asyncio.sleep(0.02)
    assert (await Ledger(world.redis).of(handoff["conversation"]))[wamid]["state"] == "handed_off"
    assert len(world.meta.sent_to(ana)) == 1

    address = f"{world.url}/console/conversations/{handoff['conversation']}/give-back"
    async with world.http.post(address, headers=BEARER) as response:
        assert response.status == 200
    world.models.will(says("Aquí estoy otra vez."))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "gracias"}})
    await world.meta.replies(ana, 2)
    # What was said while the bot was quiet is remembered.
    assert "¿sigues ahí?" in str(world.models.requests[-1]["messages"])
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_the_console_is_closed_to_whoever_has_no_token(world: World) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "console-token-and-more"}):
        async with world.http.get(f"{world.url}/console/events", headers=headers) as response:
            assert response.status == 401
        async with world.http.post(f"{world.url}/console/conversations/c_x/give-back", headers=headers) as response:
            assert response.status == 401


async def test_giving_back_what_is_no_conversation_is_refused(world: World) -> None:
    for name in ("c_x", "recado%3Aopen", "c_" + "0" * 21):
        address = f"{world.url}/console/conversations/{name}/give-back"
        async with world.http.post(address, headers=BEARER) as response:
            assert response.status == 404

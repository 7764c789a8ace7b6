"""The way of a conversation into the database: from Meta's webhooks and the turns, by the stream, to the reader."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.database.engine import Database
from bot.database.opening import open_current
from bot.history.reader import HistoryReader
from bot.history.stream import HISTORY
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.notifications import post
from tests.outgoing import conversation_of, metric, text
from tests.processes import eventually
from tests.world import Start, World


@pytest.fixture
async def world(start: Start, database_url: str) -> World:
    return await start(history=True, DATABASE_URL=database_url)


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[HistoryReader]:
    opened: Database = await open_current(database_url)
    yield HistoryReader(opened)
    await opened.close()


async def settled(world: World) -> None:
    """Wait until every entry of the history is in the database."""

    async def is_empty() -> bool:
        return not await world.redis.xlen(HISTORY)

    await eventually(is_empty)


async def shown(
    world: World, reader: HistoryReader, person: Person, is_whole: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """The person's messages, once they are as expected."""
    conversation = await conversation_of(world, person)

    async def found() -> list[dict[str, Any]]:
        messages = (await reader.messages(conversation)).as_json()["messages"]
        return messages if is_whole(messages) else []

    return await eventually(found)


async def test_a_question_and_its_answer_are_kept_with_ticks_and_the_whole_turn(
    world: World, reader: HistoryReader, ana: Person
) -> None:
    world.models.will(calls(("business_hours", {})), says("Abrimos a las nueve."))
    await world.meta.writes(ana, text("¿A qué hora abren?"))
    asked, answered = await shown(world, reader, ana, lambda found: len(found) == 2 and found[-1]["status"] == "read")
    assert (asked["text"], asked["author"], asked["state"]) == ("¿A qué hora abren?", "customer", "answered")
    assert (answered["text"], answered["author"]) == ("Abrimos a las nueve.", "assistant")
    assert asked["turn"] == answered["turn"]
    await settled(world)
    turn = await reader.turn(answered["turn"])
    assert turn is not None
    assert turn.trace is not None
    assert [tool["name"] for tool in turn.trace["tools"]] == ["business_hours"]
    assert turn.release
    assert len(turn.asked) == 2
    assert turn.asked[1]["messages"][: len(turn.asked[0]["messages"])] == turn.asked[0]["messages"]
    (listed,) = (await reader.conversations(q="hora abren")).conversations
    assert (listed.contact.name, listed.state, listed.unread) == ("Ana", "bot", 0)


async def test_a_new_number_is_told_where_it_happened(world: World, reader: HistoryReader, ana: Person) -> None:
    await world.meta.writes(ana, text("hola"))
    await shown(world, reader, ana, lambda found: len(found) > 1)
    conversation = await conversation_of(world, ana)
    await post(world, "system_user_changed_number")

    async def told() -> list[dict[str, Any]]:
        messages = (await reader.messages(conversation)).as_json()["messages"]
        return [message for message in messages if message["author"] == "system"]

    (system,) = await eventually(told)
    assert (system["text"], system["payload"]["phone"]) == ("user_changed_number", "5215599990000")
    listed = await reader.conversation(conversation)
    assert listed is not None
    assert listed.last_message is not None
    assert listed.last_message["author"] == "assistant"


async def test_the_metrics_tell_how_much_the_database_lacks(start: Start, ana: Person) -> None:
    world = await start(workers=0)
    assert await metric(world, "recado_history_backlog") == 0
    await world.meta.writes(ana, text("hola"))
    assert await metric(world, "recado_history_backlog") == 1


async def test_a_call_for_a_person_makes_the_conversation_wait(
    world: World, reader: HistoryReader, ana: Person
) -> None:
    world.models.will(calls(("talk_to_a_person", {"reason": "quiere una persona"})), says("Ahora te escriben."))
    await world.meta.writes(ana, text("quiero hablar con alguien"))
    await shown(world, reader, ana, lambda found: len(found) == 2 and found[-1]["status"] == "read")
    await world.meta.writes(ana, text("¿hola?"))
    await shown(world, reader, ana, lambda found: found[-1]["text"] == "¿hola?" and found[-1]["state"] != "open")
    (waiting,) = (await reader.conversations(state="waiting")).conversations
    assert waiting.unread
    handover, *_ = await reader.handovers(waiting.id)
    assert (handover["action"], handover["reason"]) == ("asked", "quiere una persona")

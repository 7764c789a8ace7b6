"""Calls and voicemails: nobody can take a call here, so that it is answered with a text, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bot.conversations.ledger import name_of
from sandbox.meta.calls import leave_voicemail, miss_call
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.notifications import ends, last_model_input, post, settled
from tests.world import Start, World

ANSWER = "Por aquí no puedo contestar llamadas. Escríbeme o mándame una nota de voz, y te ayudo."


async def test_a_call_that_nobody_took_is_answered_with_a_text(world: World, ana: Person) -> None:
    call = await miss_call(world.meta, ana)
    (reply,) = await world.meta.replies(ana)
    assert reply.text == ANSWER
    await settled(world)
    assert list(await ends(world, ana.bsuid)) == [name_of(call)]
    assert world.models.requests == []
    # Meta refuses to mark a call as read.
    assert world.meta.read_marks == []


async def test_a_call_by_somebody_without_a_phone_is_answered(world: World) -> None:
    sam = Person(None, "US.13491208655302741918", "Sam", "sam.w")
    await miss_call(world.meta, sam)
    (reply,) = await world.meta.replies(sam)
    assert (reply.text, reply.request["recipient"]) == (ANSWER, sam.bsuid)


async def test_a_call_delivered_twice_is_answered_once_and_a_taken_one_never(world: World, ana: Person) -> None:
    now = datetime.now(UTC)
    world.meta.chats.called(ana, now)
    for name in ("call_connect", "call_missed", "call_missed", "call_taken"):
        await post(world, name, now=now)
    await world.meta.replies(ana)
    await settled(world)
    assert [sent.text for sent in world.meta.accepted] == [ANSWER]


async def test_a_missed_call_is_known_to_the_next_turn(world: World, ana: Person) -> None:
    await miss_call(world.meta, ana)
    await world.meta.replies(ana)
    world.models.will(says("Dime."))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "te llamé"}})
    await world.meta.replies(ana, 2)
    assert "<missed_call>" in str(world.models.requests[-1]["messages"])


@pytest.mark.xdist_group("ocr")
async def test_a_voicemail_is_heard_as_a_voice_note(start: Start, ana: Person, media: Callable[[str], bytes]) -> None:
    world = await start()
    await leave_voicemail(world.meta, ana, media("voice/es_ticket.ogg"))
    await world.meta.replies(ana)
    assert "<transcript>Mi internet no funciona" in last_model_input(world)

"""A customer asked for a person and nobody comes: they are told once, and supervisors are alerted."""

from __future__ import annotations

from bot.conversations.assignment import Assignments
from bot.conversations.lease import lease_key
from bot.services import open_services
from bot.worker import pickups
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.outgoing import bodies, conversation_of, free, text
from tests.processes import eventually
from tests.world import Start, World


async def asked_for_a_person(world: World, person: Person) -> str:
    world.models.will(calls(("talk_to_a_person", {"reason": "Quiere una devolución"})), says("Te escribe alguien."))
    await world.meta.writes(person, text("quiero hablar con una persona"))
    await world.meta.replies(person)
    conversation = await conversation_of(world, person)
    await eventually(lambda: free(world.redis, conversation))
    return conversation


async def test_a_customer_whom_nobody_answers_is_told_once(start: Start, ana: Person) -> None:
    world = await start(CONSOLE_PICKUP_MINUTES="0.001")
    await asked_for_a_person(world, ana)
    await world.meta.replies(ana, 2)
    assert bodies(world, ana)[1].startswith("Todavía no hay nadie libre")
    # Words of the worker that told them again would come before these.
    async with open_services(world.settings) as services:
        assert await pickups(services).look() == 0


async def test_whom_a_colleague_has_taken_is_told_nothing(start: Start, ana: Person) -> None:
    world = await start()
    conversation = await asked_for_a_person(world, ana)
    async with open_services(world.settings) as services:
        assert await pickups(services).look() == 0
        await Assignments(world.redis).take(conversation, "eva@example.com", "Eva", lease=lease_key(conversation))
        assert await Assignments(world.redis).waiting_since(-1) == []
    assert len(bodies(world, ana)) == 1

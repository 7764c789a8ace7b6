"""An answer that takes long: typing goes on, the customer is told once, and the answer comes."""

from __future__ import annotations

import asyncio

from bot.queues import QUEUES
from bot.sandbox.meta import Person
from bot.sandbox.openrouter import Scripted
from bot.worker import running
from tests.world import Start

# With one model, which may take as long as the deadline allows.
IN_EIGHT_SECONDS = {"TURN_DEADLINE_SECONDS": "8", "LLM_MODEL_DEFAULT": "a/1", "LLM_MODEL_FALLBACK": "a/1"}


def slow(text: str, seconds: float) -> Scripted:
    return Scripted({"role": "assistant", "content": text}, delay=seconds)


async def test_a_slow_answer_is_announced_once_and_comes(start: Start, ana: Person) -> None:
    world = await start(**IN_EIGHT_SECONDS)
    world.models.will(slow("Aquí está.", 3.8))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¿Qué planes tienen?"}})
    first, second = await world.meta.replies(ana, 2)
    assert first.text == "Sigo con tu mensaje; en un momento te contesto."
    assert second.text == "Aquí está."


async def test_an_answer_in_time_is_not_announced(start: Start, ana: Person) -> None:
    world = await start(TURN_DEADLINE_SECONDS="5")
    world.models.will(slow("Aquí está.", 0.5))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¿Qué planes tienen?"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Aquí está."
    await asyncio.sleep(1.8)
    assert len(world.meta.sent_to(ana)) == 1


async def test_what_waited_too_long_to_be_thought_over_is_announced_at_once_and_still_answered(
    start: Start, ana: Person
) -> None:
    world = await start(workers=0, TURN_DEADLINE_SECONDS="8")
    world.models.will(slow("Más vale tarde.", 0.3))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¿Qué planes tienen?"}})
    await asyncio.sleep(6.2)
    async with running(world.settings, QUEUES, 10):
        first, second = await world.meta.replies(ana, 2)
    assert first.text.startswith("Sigo con tu mensaje")
    assert second.text == "Más vale tarde."

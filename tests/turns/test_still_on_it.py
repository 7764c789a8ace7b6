"""An answer that takes long: typing dots stay, the delay is announced once, and the answer comes."""

from __future__ import annotations

import asyncio

from bot.infra.queues import QUEUES
from bot.infra.redis import answer
from bot.worker import running
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.processes import eventually
from tests.world import Start, World

# A single model, so that it may use the whole deadline.
ONE_MODEL = {"LLM_MODEL_DEFAULT": "a/1", "LLM_MODEL_FALLBACK": "a/1", "LLM_TIMEOUT_SECONDS": "300"}
QUESTION = {"type": "text", "text": {"body": "¿Qué planes tienen?"}}


async def settled(world: World) -> None:
    """Wait until no turn is under way and every message has its end."""

    async def over() -> bool:
        active = await answer(world.redis.llen("bull:llm:active"))
        return not active and not await world.redis.zcard("recado:open")

    await eventually(over)


async def test_a_slow_answer_is_announced_once_and_comes(start: Start, ana: Person) -> None:
    announced = asyncio.Event()
    world = await start(**ONE_MODEL, TURN_DEADLINE_SECONDS="16")
    world.models.will(says("Aquí está.", until=announced), says("Aquí está."))
    await world.meta.writes(ana, QUESTION)
    (first,) = await world.meta.replies(ana)
    announced.set()
    _, second = await world.meta.replies(ana, 2)
    assert first.text == "Sigo con tu mensaje; en un momento te contesto."
    assert second.text == "Aquí está."


async def test_an_answer_in_time_is_not_announced(start: Start, ana: Person) -> None:
    world = await start(TURN_DEADLINE_SECONDS="300")
    world.models.will(says("Aquí está."))
    await world.meta.writes(ana, QUESTION)
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Aquí está."
    # The turn is over, so no task of it can announce a delay any more.
    await settled(world)
    assert len(world.meta.sent_to(ana)) == 1


async def test_a_message_that_waited_too_long_is_announced_at_once_and_still_answered(
    start: Start, ana: Person
) -> None:
    world = await start(workers=0, TURN_DEADLINE_SECONDS="1")
    world.models.will(says("Más vale tarde."))
    await world.meta.writes(ana, QUESTION)
    await asyncio.sleep(1)
    async with running(world.settings, QUEUES, 10):
        first, second = await world.meta.replies(ana, 2)
    assert first.text.startswith("Sigo con tu mensaje")
    assert second.text == "Más vale tarde."

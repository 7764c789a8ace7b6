"""A model that writes its reasoning: its notes reach neither the customer nor stored or logged data."""

from __future__ import annotations

import pytest

from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, calls, says
from tests.notifications import settled
from tests.processes import eventually
from tests.world import World

NOTE = "Nota interna: cliente moroso."
HELLO = {"type": "text", "text": {"body": "¿A qué hora abren?"}}


async def kept(world: World) -> str:
    """All content of Redis, as one text."""
    read = {
        "string": "get",
        "hash": "hgetall",
        "list": "lrange",
        "zset": "zrange",
        "set": "smembers",
        "stream": "xrange",
    }
    found = []
    async for name in world.redis.scan_iter("*"):
        kind = await world.redis.type(name)
        if kind not in read:
            # The key has expired meanwhile.
            continue
        span = (0, -1) if kind in ("list", "zset") else ()
        found.append(f"{name}: {await getattr(world.redis, read[kind])(name, *span)}")
    return "\n".join(found)


async def test_reasoning_in_an_answer_is_neither_said_nor_kept_nor_logged(
    world: World, ana: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    called = calls(("business_hours", {})).message or {}
    world.models.will(
        ScriptedAnswer(called | {"content": f"<think>{NOTE}</think>"}),
        ScriptedAnswer({"content": f"<think>{NOTE}</think>\n\nAbrimos a las 9:00.<|im_end|>"}, delay=1),
    )
    await world.meta.writes(ana, HELLO)

    async def second() -> bool:
        return len(world.models.requests) > 1

    await eventually(second)
    journal = await kept(world)
    assert "business_hours" in journal
    assert NOTE not in journal
    (reply,) = await world.meta.replies(ana)
    assert reply.request["text"]["body"] == "Abrimos a las 9:00."
    await settled(world)
    assert "Abrimos a las 9:00." in (after := await kept(world))
    assert NOTE not in after
    assert NOTE not in str(world.models.requests)
    assert NOTE not in "".join(capfd.readouterr())


async def test_an_answer_of_marks_alone_is_followed_by_the_next_model(world: World, ana: Person) -> None:
    first = world.settings.llm.models[0]
    world.models.will(says(f"<think>{NOTE}"), model=first)
    world.models.will(says("Abrimos a las 9:00."))
    await world.meta.writes(ana, HELLO)
    (reply,) = await world.meta.replies(ana)
    assert reply.request["text"]["body"] == "Abrimos a las 9:00."
    await settled(world)
    assert NOTE not in await kept(world)

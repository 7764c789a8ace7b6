"""The default model is dead and a hundred people write at once: how often it is asked, and when it is asked again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bench.chaos.house import ANSWER, House
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, fails

PEOPLE = 100
# As long as it takes; a hundred turns at once keep this process busy.
TIMES = {"LLM_TIMEOUT_SECONDS": "5", "TURN_DEADLINE_SECONDS": "60"}
_ALWAYS = 1000
# So many may already be about to ask a second time when it goes to rest.
FAILURES_BEFORE_REST = 5
FAILURES = {
    "404": fails(404),
    "500": fails(500),
    "silence": ScriptedAnswer({"role": "assistant", "content": ANSWER}, delay=30),
}


@dataclass(frozen=True, slots=True)
class Wave:
    """What became of so many people; `seconds` until the last of them was answered."""

    people: int
    answered: int
    seconds: float
    default: int
    fallback: int


async def wave(house: House, people: int = PEOPLE) -> Wave:
    """Let people write at once, each a new conversation, and wait for their answers."""
    before, began = house.asked, time.monotonic()
    crowd = [house.person() for _ in range(people)]
    answers = await asyncio.gather(*(_ask(house, person) for person in crowd))
    asked = house.asked - before
    took = time.monotonic() - began
    return Wave(people, answers.count(ANSWER), took, asked["default"], asked["fallback"])


async def _ask(house: House, person: Person) -> str:
    await house.meta.writes(person, {"type": "text", "text": {"body": "Hola, ¿a qué hora abren?"}})
    (reply,) = await house.meta.replies(person, within=60)
    return reply.text


async def died(house: House, failure: ScriptedAnswer) -> tuple[Wave, Wave, float]:
    """Two waves while it is dead, and the seconds until somebody is answered by it after it is back."""
    house.models.will(*[failure] * _ALWAYS, model=house.default)
    first, second = await wave(house), await wave(house)
    house.models.forget()
    back = time.monotonic()
    async with asyncio.timeout(60):
        while not (await wave(house, 1)).default:
            await asyncio.sleep(0.2)
    return first, second, time.monotonic() - back

"""The default model is dead and a hundred people write at once: how often it is asked, and when it is asked again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bench.chaos.in_process import ANSWER, InProcessRecado
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


async def send_wave(recado: InProcessRecado, people: int = PEOPLE) -> Wave:
    """Let people write at once, each a new conversation, and wait for their answers."""
    before, began = recado.asked, time.monotonic()
    crowd = [recado.person() for _ in range(people)]
    answers = await asyncio.gather(*(_ask(recado, person) for person in crowd))
    asked = recado.asked - before
    took = time.monotonic() - began
    return Wave(people, answers.count(ANSWER), took, asked["default"], asked["fallback"])


async def _ask(recado: InProcessRecado, person: Person) -> str:
    await recado.meta.writes(person, {"type": "text", "text": {"body": "Hola, ¿a qué hora abren?"}})
    (reply,) = await recado.meta.replies(person, within=60)
    return reply.text


async def run_outage(recado: InProcessRecado, failure: ScriptedAnswer) -> tuple[Wave, Wave, float]:
    """Two waves while it is dead, and the seconds until somebody is answered by it after it is back."""
    recado.models.will(*[failure] * _ALWAYS, model=recado.default)
    first, second = await send_wave(recado), await send_wave(recado)
    recado.models.forget()
    back = time.monotonic()
    async with asyncio.timeout(60):
        while not (await send_wave(recado, 1)).default:
            await asyncio.sleep(0.2)
    return first, second, time.monotonic() - back

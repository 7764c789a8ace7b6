"""The default model is down while a hundred people write at once: its requests, and the time of its next probe."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bench.chaos.in_process import ANSWER, InProcessRecado
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, fails

PEOPLE = 100
# A high limit, because a hundred turns at once keep this process busy.
TIMES = {"LLM_TIMEOUT_SECONDS": "5", "TURN_DEADLINE_SECONDS": "60"}
_ALWAYS = 1000
# This many turns may be at their second request when the circuit breaker opens.
FAILURES_BEFORE_OPEN = 5
FAILURES = {
    "404": fails(404),
    "500": fails(500),
    "silence": ScriptedAnswer({"role": "assistant", "content": ANSWER}, delay=30),
}


@dataclass(frozen=True, slots=True)
class Wave:
    """The result of a wave of people; `seconds` until the last of them was answered."""

    people: int
    answered: int
    seconds: float
    default: int
    fallback: int


async def send_wave(recado: InProcessRecado, people: int = PEOPLE) -> Wave:
    """Let people write at once, each in a new conversation, and wait for their answers."""
    before, began = recado.request_counts, time.monotonic()
    crowd = [recado.person() for _ in range(people)]
    answers = await asyncio.gather(*(_ask(recado, person) for person in crowd))
    asked = recado.request_counts - before
    took = time.monotonic() - began
    return Wave(people, answers.count(ANSWER), took, asked["default"], asked["fallback"])


async def _ask(recado: InProcessRecado, person: Person) -> str:
    await recado.meta.writes(person, {"type": "text", "text": {"body": "Hola, ¿a qué hora abren?"}})
    (reply,) = await recado.meta.replies(person, within=60)
    return reply.text


async def run_outage(recado: InProcessRecado, failure: ScriptedAnswer) -> tuple[Wave, Wave, float]:
    """Two waves during the outage, and the seconds until the recovered model answers somebody."""
    recado.models.will(*[failure] * _ALWAYS, model=recado.default)
    first, second = await send_wave(recado), await send_wave(recado)
    recado.models.forget()
    back = time.monotonic()
    async with asyncio.timeout(60):
        while not (await send_wave(recado, 1)).default:
            await asyncio.sleep(0.2)
    return first, second, time.monotonic() - back

"""Steps of an operator with the prompts of a running Recado, and the effects for operator and model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bot.infra.live_events import LiveEvents
from bot.infra.redis import cancel_and_wait
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, says
from tests.processes import eventually
from tests.world import World


def say(folder: Path, words: str, head: str = "") -> None:
    """Let the assistant's prompt say this and nothing else."""
    (folder / "assistant.md").write_text(f"---\nname: a\n{head}---\n{words}\n")


async def ask(world: World, person: Person, text: str, answer: ScriptedAnswer | None = None) -> dict[str, Any]:
    """Write something, and give the request that the model then got."""
    count = len(world.meta.sent_to(person))
    world.models.will(answer or says("hecho"))
    await world.meta.writes(person, {"type": "text", "text": {"body": text}})
    await world.meta.replies(person, count + 1)
    return world.models.requests[-1]


def told(request: dict[str, Any]) -> str:
    return str(request["messages"][0]["content"])


@asynccontextmanager
async def overheard(redis: Redis) -> AsyncIterator[list[dict[str, Any]]]:
    """Live events about prompts, and alerts, until the context ends."""
    heard: list[dict[str, Any]] = []

    async def listen() -> None:
        async for event in LiveEvents(redis).listen():
            heard.extend([event] if event["type"] in ("prompts", "alert") else [])

    task = asyncio.create_task(listen())
    await eventually(lambda: _listening(redis))
    try:
        yield heard
    finally:
        await cancel_and_wait(task)


async def _listening(redis: Redis) -> bool:
    return bool(dict(await redis.pubsub_numsub("recado:events"))["recado:events"])


async def upcoming(heard: list[dict[str, Any]], state: str) -> dict[str, Any]:
    async def found() -> dict[str, Any]:
        return next((event for event in heard if state in (event.get("state"), event.get("kind"))), {})

    return await eventually(found)

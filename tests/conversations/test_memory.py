"""What a conversation remembers, and that nobody else's does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.ai.chat import tokens
from bot.conversations.memory import History, HistoryEntry, Memory
from bot.settings import MemorySettings
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.waiting import PATIENCE
from tests.world import Start, World


def line(role: str, text: str) -> HistoryEntry:
    return HistoryEntry(role=role, text=text, at=datetime(2026, 11, 24, tzinfo=UTC))


async def remember(redis: Redis, memory: Memory, conversation: str, *items: HistoryEntry) -> bool:
    before = await memory.recall(conversation)
    async with redis.pipeline(transaction=True) as pipeline:
        due = memory.extend(pipeline, conversation, before, list(items))
        await pipeline.execute()
    return due


async def test_the_last_messages_are_carried_to_the_model(world: World, ana: Person) -> None:
    for number in range(3):
        world.models.will(says(f"respuesta {number}"))
        await world.meta.writes(ana, {"type": "text", "text": {"body": f"pregunta {number}"}})
        await world.meta.replies(ana, number + 1)
    said = [message["content"] for message in world.models.requests[2]["messages"][1:]]
    assert said == ["pregunta 0", "respuesta 0", "pregunta 1", "respuesta 1", "pregunta 2"]


async def test_no_conversation_sees_what_another_said(world: World, ana: Person) -> None:
    leo = Person(phone="5215587654321", bsuid="MX.8809876543210987", name="Leo")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "mi clave es girasol"}})
    await world.meta.replies(ana)
    await world.meta.writes(leo, {"type": "text", "text": {"body": "¿qué dijo Ana?"}})
    await world.meta.replies(leo)
    assert "girasol" not in str(world.models.requests[-1])


@pytest.mark.parametrize(("limits", "kept"), [({"messages": 4}, 4), ({"messages": 40, "tokens": 200}, 2)])
async def test_what_exceeds_the_budget_waits_for_its_summary_and_stays_readable(
    redis: Redis, limits: dict[str, Any], kept: int
) -> None:
    memory = Memory(redis, MemorySettings(**limits))
    for number in range(6):
        await remember(redis, memory, "c_1", line("user", f"{number} " + "palabra " * 50))
    found = await memory.recall("c_1")
    assert (len(found.recent), len(found.unsummarised)) == (kept, 6 - kept)
    assert [item.text[0] for item in (*found.unsummarised, *found.recent)] == list("012345")


async def test_a_summary_takes_the_place_of_exactly_what_it_covers(redis: Redis) -> None:
    memory = Memory(redis, MemorySettings(messages=2))
    for number in range(5):
        await remember(redis, memory, "c_1", line("user", str(number)))
    covered = (line("user", "0"), line("user", "1"))
    assert await memory.summarised("c_1", covered, "dijo 0 y 1")
    assert await memory.recall("c_1") == History(
        "dijo 0 y 1", (line("user", "2"),), (line("user", "3"), line("user", "4"))
    )


async def test_what_fell_out_is_summarised_by_the_model_off_the_path_of_the_reply(start: Start, ana: Person) -> None:
    world = await start(MEMORY_MESSAGES="2")
    for number in range(7):
        world.models.will(says(f"r{number}"))
        await world.meta.writes(ana, {"type": "text", "text": {"body": f"dato {number}"}})
        await world.meta.replies(ana, number + 1)
        if number == 4:
            world.models.will(says("<think>Nota interna.</think>Ana dio los datos 0 a 3.<|im_end|>"))
            async with asyncio.timeout(PATIENCE):
                while not await world.redis.keys("*memory:summary"):
                    await asyncio.sleep(0.05)
    instructions = world.models.requests[-1]["messages"][0]["content"]
    assert "Ana dio los datos 0 a 3." in instructions
    # Reasoning and end tokens of a model are no part of what is remembered.
    assert "Nota interna" not in instructions
    assert "<|" not in instructions


async def test_a_memory_is_forgotten_after_its_time_to_live(redis: Redis) -> None:
    memory = Memory(redis, MemorySettings(ttl_days=3))
    await remember(redis, memory, "c_1", line("user", "hola"))
    (name,) = await redis.keys("*")
    assert 2 * 24 * 3600 < await redis.ttl(name) <= 3 * 24 * 3600


def test_tokens_are_estimated_on_the_safe_side() -> None:
    # OpenAI's tokenizer makes 14 tokens of this sentence.
    assert tokens("Hola, quiero saber el estado de mi suscripción y cuándo vence mi factura.") >= 14

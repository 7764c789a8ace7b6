"""Processes killed during a turn: another worker takes over, and no effect is repeated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bench.chaos.killed_process import KilledProcess
from bot.infra.crash_points import Point
from bot.infra.queues import QUEUES
from bot.worker import running as worker
from sandbox.meta.acceptance import new_wamid
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import envelope, message_value, unix_seconds
from sandbox.ports import free_port
from sandbox.simulators.openrouter import ScriptedAnswer, calls, says
from tests.notifications import post_raw
from tests.processes import Process, running
from tests.waiting import PATIENCE
from tests.world import Start, World

FLOOD_HELD: Point = "webhook: turns asked for, no job added"
Spawn = Callable[[str], Awaitable[Process]]

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("crash")]


@pytest.fixture
async def spawn() -> AsyncIterator[Spawn]:
    """Start a real process of Recado, and wait for its log to report it ready."""
    async with AsyncExitStack() as stack:

        async def begin(command: str) -> Process:
            run = await stack.enter_async_context(running(command))
            await run.line(f"{command}_ready")
            return run.process

        yield begin


async def until(condition: Callable[[], object], within: float = PATIENCE) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


async def all_accounted(world: World) -> None:
    async with asyncio.timeout(PATIENCE):
        while await world.redis.zcard("recado:open"):
            await asyncio.sleep(0.05)


async def test_a_worker_killed_during_a_model_request_is_replaced(start: Start, spawn: Spawn, ana: Person) -> None:
    world = await start(workers=0)
    world.models.will(ScriptedAnswer({"role": "assistant", "content": "tarde"}, delay=600), says("aquí estoy"))
    doomed = await spawn("worker")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    await until(lambda: world.models.requests)
    await spawn("worker")
    doomed.kill()
    (reply,) = await world.meta.replies(ana)
    assert reply.request["text"]["body"] == "aquí estoy"
    await all_accounted(world)
    assert len(world.meta.sent_to(ana)) == 1


async def test_a_tool_that_acted_before_the_crash_does_not_act_again(start: Start, spawn: Spawn, ana: Person) -> None:
    world = await start(workers=0)
    world.models.will(
        calls(("talk_to_a_person", {"reason": "wants a human"})),
        ScriptedAnswer({"role": "assistant", "content": "tarde"}, delay=600),
        says("Te escribe alguien."),
    )
    handoffs = world.redis.pubsub(ignore_subscribe_messages=True)
    await handoffs.subscribe("recado:events")
    doomed = await spawn("worker")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "quiero hablar con alguien"}})
    await until(lambda: len(world.models.requests) == 2)
    await spawn("worker")
    doomed.kill()
    (reply,) = await world.meta.replies(ana)
    assert reply.request["text"]["body"] == "Te escribe alguien."
    # The new worker continued the journal, so the model was asked three times in all and the tool called once.
    assert len(world.models.requests) == 3
    assert world.models.requests[2]["messages"][1:] == world.models.requests[1]["messages"][1:]
    events = [await handoffs.get_message(timeout=0.1) for _ in range(20)]
    await handoffs.aclose()  # type: ignore[no-untyped-call] # redis-py 7 has no types for it
    assert sum('"handoff"' in event["data"] for event in events if event) == 1


async def test_a_worker_killed_between_sending_and_metas_answer_does_not_make_two_replies(
    start: Start, spawn: Spawn, ana: Person
) -> None:
    world = await start(workers=0)
    world.meta.will_delay(600)
    doomed = await spawn("worker")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    await world.meta.replies(ana)
    await spawn("worker")
    doomed.kill()
    await all_accounted(world)
    assert len(world.meta.sent_to(ana)) == 1


async def test_a_worker_that_is_stopped_finishes_its_turn(start: Start, spawn: Spawn, ana: Person) -> None:
    world = await start(workers=0)
    told = asyncio.Event()
    world.models.will(says("terminé", until=told))
    process = await spawn("worker")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    await until(lambda: world.models.requests)
    process.terminate()
    told.set()
    assert await process.wait() == 0
    assert [reply.request["text"]["body"] for reply in world.meta.sent_to(ana)] == ["terminé"]


async def test_the_sweep_adds_a_job_that_was_lost(start: Start, ana: Person) -> None:
    world = await start(workers=0)
    await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    async with asyncio.timeout(PATIENCE):
        while not await world.redis.exists("bull:llm:wait"):
            await asyncio.sleep(0.02)
    await world.redis.delete(*await world.redis.keys("bull:llm:*"))
    revived = await start(workers=1)
    await until(lambda: revived.models.requests)
    assert revived.models.requests[0]["messages"][-1]["content"] == "hola"


async def test_what_a_tool_offered_before_the_crash_is_shown_once(start: Start, spawn: Spawn, ana: Person) -> None:
    world = await start(workers=0)
    options = {"text": "¿Qué plan?", "choices": [{"title": "Básico"}, {"title": "Negocio"}]}
    world.models.will(
        calls(("offer_choices", options)),
        ScriptedAnswer({"role": "assistant", "content": "tarde"}, delay=600),
        says("-"),
    )
    doomed = await spawn("worker")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "planes"}})
    await until(lambda: len(world.models.requests) == 2)
    await spawn("worker")
    doomed.kill()
    (reply,) = await world.meta.replies(ana)
    assert reply.request["interactive"]["body"] == {"text": "¿Qué plan?"}
    await all_accounted(world)
    assert len(world.models.requests) == 3
    assert len(world.meta.sent_to(ana)) == 1


async def test_a_server_that_dies_before_a_floods_jobs_are_added_loses_no_turn_and_repeats_none(
    start: Start, tmp_path: Path
) -> None:
    world = await start(workers=0)
    port = free_port()
    doomed = KilledProcess.start(
        ["serve", "--host", "127.0.0.1", "--port", str(port)], {}, tmp_path / "log", FLOOD_HELD
    )
    await doomed.ready()
    people = [Person(f"52155{number:08}", f"MX.{number:016}", f"P{number}") for number in range(20)]
    hello = {"timestamp": unix_seconds(world.meta.clock()), "type": "text", "text": {"body": "hola"}}
    values = [message_value(world.meta.business, person, hello | {"id": new_wamid()}) for person in people]
    with suppress(aiohttp.ClientError):
        # A slow machine may let it die before its 200.
        await post_raw(replace(world, url=f"http://127.0.0.1:{port}"), envelope(world.meta.business, values))
    await doomed.ended()
    assert doomed.died_there
    assert not await world.redis.exists("bull:llm:wait")
    # The sweep looks for messages that have waited for ten seconds.
    waiting = await world.redis.zrange("recado:open", 0, -1)
    assert len(waiting) == len(people)
    await world.redis.zadd("recado:open", dict.fromkeys(waiting, time.time() - 60))
    async with worker(world.settings, QUEUES, 50, history=False):
        await all_accounted(world)
    assert [len(world.meta.sent_to(person)) for person in people] == [1] * len(people)
    assert len(world.models.requests) == len(people)

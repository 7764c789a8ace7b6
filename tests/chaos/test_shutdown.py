"""Told to stop: what is in hand is finished or handed on, within the grace, and people notice nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.chaos.shutdown import run_restarts
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, says
from tests.processes import eventually, running
from tests.waiting import PATIENCE
from tests.world import Start

pytestmark = pytest.mark.timeout(400)


@pytest.mark.xdist_group("chaos")
async def test_people_notice_nothing_of_a_deployment(tmp_path: Path) -> None:
    outcome = await run_restarts(tmp_path)
    assert outcome.verdict.faults == {}
    assert outcome.verdict.messages > 60
    assert outcome.codes == [0] * 4
    assert outcome.unexpected_exits == []
    # A worker finishes its turns before it ends, so nobody waits for its lock.
    assert outcome.unfinished == 0


async def test_who_has_to_stop_finishes_what_is_in_hand(start: Start, ana: Person) -> None:
    world = await start(workers=0)
    told = asyncio.Event()
    world.models.will(says("aún a tiempo", until=told))
    async with running("worker") as worker:
        await worker.line("worker_ready")
        await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
        await eventually(lambda: _asked(world.models.requests))
        worker.process.terminate()
        await worker.line("stopping")
        told.set()
        assert await worker.stop() == 0
    (reply,) = world.meta.sent_to(ana)
    assert reply.text == "aún a tiempo"
    assert await world.redis.zcard("recado:open") == 0


async def test_who_can_not_finish_within_the_grace_hands_it_on(start: Start, ana: Person) -> None:
    world = await start(workers=0)
    world.models.will(ScriptedAnswer({"role": "assistant", "content": "tarde"}, delay=600))
    async with running("worker", SHUTDOWN_GRACE_SECONDS="0.5") as worker:
        await worker.line("worker_ready")
        await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
        await eventually(lambda: _asked(world.models.requests))
        async with asyncio.timeout(PATIENCE):
            assert await worker.stop() == 0
        assert await worker.line("grace_over")
    conversation = await world.redis.get(f"recado:identity:{ana.bsuid}")
    assert await world.redis.llen(f"recado:{{{conversation}}}:waiting") == 1  # type: ignore[misc] # as bot.infra.redis.answer
    # The next one needn't wait until the conversation is free.
    assert not await world.redis.exists(f"recado:{{{conversation}}}:lease")


async def _asked(requests: Sequence[object]) -> bool:
    return bool(requests)

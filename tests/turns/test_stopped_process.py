"""Workers that are stopped and continued: a message that another has sent meanwhile is not sent again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bench.chaos.stopped_process import StoppedProcess
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost
from bot.infra.crash_points import Point
from bot.infra.queues import QUEUES
from bot.infra.redis import key
from bot.messages.outbound import Buttons, Choice, Part, Say, Template
from bot.worker import running
from sandbox.meta.simulator import Person
from tests.outgoing import acquainted, empty, put, request_turn
from tests.processes import eventually
from tests.world import Start

pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("stopped")]
# The shortest lease that a busy machine still renews in time.
LEASE_SECONDS = 1.5
NAME = f"c_{'0' * 20}"
Sleeping = Callable[[Point], StoppedProcess]


@pytest.fixture
async def sleeping(tmp_path: Path) -> AsyncIterator[Sleeping]:
    with ExitStack() as stack:

        def begin(point: Point) -> StoppedProcess:
            sleeper = StoppedProcess.start(tmp_path / "log", point, LEASE_SECONDS)
            stack.callback(sleeper.kill)
            return sleeper

        yield begin


async def has(condition: Callable[[], bool]) -> bool:
    return condition()


ORDER = {"name": "Ana", "order": "7", "total": "$10"}
PARTS: dict[str, Part] = {
    "a text": Say(body="Tu pedido está listo."),
    "a template": Template(name="order_confirmation", language="es_MX", parameters=ORDER),
    "buttons": Buttons(body="¿Va?", choices=(Choice(id="y", title="Sí"), Choice(id="n", title="No"))),
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
async def test_a_worker_that_goes_on_after_its_lease_sends_nothing_that_another_has_sent(
    start: Start, sleeping: Sleeping, ana: Person, part: Part
) -> None:
    world = await start(workers=0)
    async with running(world.settings, QUEUES, 10):
        conversation = await acquainted(world, ana)
    sleeper = sleeping("outbox: about to ask Meta")
    await eventually(lambda: has(lambda: sleeper.has_logged("worker_ready")), 60)
    await put(world, conversation, ana, part)
    await eventually(lambda: has(lambda: sleeper.stopped), 60)
    async with running(world.settings, QUEUES, 10, lease_seconds=LEASE_SECONDS):
        await request_turn(world, conversation, f"{conversation}-another")
        await world.meta.replies(ana, within=60)
        await eventually(lambda: empty(world, conversation), 60)
        sleeper.resume()
        await eventually(lambda: has(lambda: sleeper.has_logged("lease_lost")), 60)
    assert len(world.meta.sent_to(ana)) == 1


async def test_a_lease_ends_by_the_earlier_of_two_clocks(redis: Redis) -> None:
    leases, lease = ConversationLeases(redis, lease_seconds=60), Lease(NAME, "mine")
    assert await leases.acquire(lease)
    assert 0 < lease.seconds_left <= 60
    for late in ((time.monotonic() - 61, time.time()), (time.monotonic(), time.time() - 61)):
        lease.extend(late, 60)
        assert lease.seconds_left < 0
        with pytest.raises(LeaseLost):
            async with lease.time_limit():
                pytest.fail("it began")
    await leases.renew(lease)
    async with lease.time_limit():
        pass


async def test_work_under_a_lease_that_was_never_taken_does_not_begin() -> None:
    with pytest.raises(LeaseLost):
        async with Lease(NAME, "mine").time_limit():
            pytest.fail("it began")


async def test_work_ends_without_renewal_of_its_lease_and_goes_on_with_it(redis: Redis) -> None:
    leases, lease = ConversationLeases(redis, lease_seconds=0.2), Lease(NAME, "mine")
    assert await leases.acquire(lease)
    with pytest.raises(LeaseLost):
        async with lease.time_limit():
            await asyncio.Event().wait()
    await redis.delete(key(NAME, "lease"))
    leases = ConversationLeases(redis, lease_seconds=60)
    assert await leases.acquire(lease)
    lease.extend((time.monotonic() - 59, time.time() - 59), 60)
    over = time.monotonic() + lease.seconds_left
    async with lease.time_limit():
        await leases.renew(lease)
        await asyncio.sleep(over - time.monotonic())
        assert lease.seconds_left > 0


async def test_a_timeout_of_the_work_itself_is_no_lost_lease(redis: Redis) -> None:
    leases, lease = ConversationLeases(redis, lease_seconds=60), Lease(NAME, "mine")
    assert await leases.acquire(lease)
    with pytest.raises(TimeoutError):
        async with lease.time_limit():
            raise TimeoutError

"""BullMQ on Node, version for version the company's own, shares our queues: each side works on what the other adds."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from redis.asyncio import Redis

from bench.chaos.node import Node
from bot.infra import queue_admin, queues
from bot.infra.queues import QUEUES, Job, JobRejected, Processor, working
from bot.settings import RedisSettings
from bot.worker import running
from sandbox.meta.simulator import Person
from tests.processes import eventually
from tests.waiting import PATIENCE
from tests.world import Start

pytestmark = pytest.mark.xdist_group("node")

VALUES = {"name": "Ana", "order": "A-17", "total": "120.00 MXN"}
ORDER = {"to": "5215512345678", "template": "order_confirmation", "parameters": VALUES}
JOBS: dict[queues.Name, tuple[str, dict[str, Any]]] = {
    "notification": ("template", ORDER),
    "email": ("send", {"to": "ana@example.com", "template": "welcome", "data": {"name": "Ana"}, "language": "es"}),
    "webhook": ("deliver", {"event": "message.sent", "data": {"reply": "t_1"}, "id": "evt-1"}),
}


@pytest.fixture
def settings(redis_address: str, monkeypatch: pytest.MonkeyPatch) -> RedisSettings:
    monkeypatch.setenv("REDIS_URL", redis_address)
    return RedisSettings()


async def state(node: Node, name: str, job: str, wanted: str) -> dict[str, Any]:
    """What Node sees of a job, once it is in this state."""

    async def seen() -> dict[str, Any]:
        found: dict[str, Any] = await node.ask("job", name=name, id=job) or {}
        return found if found.get("state") == wanted else {}

    return await eventually(seen)


async def test_a_template_that_node_orders_is_sent_and_node_sees_what_became_of_it(
    start: Start, node: Node, ana: Person
) -> None:
    world = await start(workers=0)
    good, bad = await node.ask(
        "add",
        name="notification",
        jobs=[
            {"name": "template", "data": ORDER, "opts": {"jobId": "erp-1", "attempts": 3}},
            {"name": "template", "data": ORDER | {"to": "nobody"}, "opts": {"jobId": "erp-2", "attempts": 3}},
        ],
    )
    async with running(world.settings, QUEUES, 10):
        done = await state(node, "notification", good, "completed")
        failed = await state(node, "notification", bad, "failed")
        assert (done["attemptsMade"], done["id"], done["data"]) == (1, "erp-1", ORDER)
        assert done["finishedOn"] >= done["processedOn"] >= done["timestamp"]
        # No retry makes it good: it failed at once, with the reason.
        assert failed["attemptsMade"] == 1
        assert failed["failedReason"].startswith("to: expected a phone")
        assert len(failed["stacktrace"]) == 1
        # Node's own way to let it be tried again.
        await node.ask("retry", name="notification", id=bad)
        again = await eventually(lambda: _tried_again(node, bad, failed["finishedOn"]))
        assert again["state"] == "failed"
    assert len(world.meta.accepted) == 1
    assert world.meta.accepted[0].request["template"]["name"] == "order_confirmation"
    counts = await node.ask("counts", name="notification")
    assert counts == {"wait": 0, "active": 0, "delayed": 0, "prioritized": 0, "completed": 1, "failed": 1}


async def _tried_again(node: Node, job: str, before: int) -> dict[str, Any]:
    found: dict[str, Any] = await node.ask("job", name="notification", id=job)
    return found if found["state"] == "failed" and found["finishedOn"] > before else {}


async def test_priorities_delays_and_back_off_that_node_asks_for_are_kept(node: Node, settings: RedisSettings) -> None:
    taken: list[tuple[str, float]] = []

    async def process(task: Job) -> None:
        taken.append((task.key, time.time()))
        if task.key == "again" and [key for key, _ in taken].count("again") < 3:
            raise ConnectionError("not yet")
        if task.key == "never":
            raise JobRejected("nothing makes it good")

    def made(job: str, **options: Any) -> dict[str, Any]:
        return {"name": "send", "data": {"n": job}, "opts": {"jobId": job, **options}}

    began = time.time()
    await node.ask(
        "add",
        name="email",
        jobs=[
            made("last", priority=10),
            made("later", delay=600),
            made("sooner", priority=2),
            made("never", attempts=5, backoff=10),
            made("again", attempts=5, backoff={"type": "exponential", "delay": 100}),
            made("first", lifo=True),
        ],
    )
    assert (await node.ask("counts", name="email"))["prioritized"] == 2
    async with working({"email": process}, settings, concurrency=1):
        assert (await state(node, "email", "again", "completed"))["attemptsMade"] == 3
        await state(node, "email", "later", "completed")
        assert (await state(node, "email", "never", "failed"))["failedReason"] == "nothing makes it good"
    order = list(dict.fromkeys(key for key, _ in taken))
    assert order == ["first", "never", "again", "sooner", "last", "later"]
    first, second, third = [at for key, at in taken if key == "again"]
    assert second - first >= 0.1
    assert third - second >= 0.2
    assert next(at for key, at in taken if key == "later") >= began + 0.6


@pytest.mark.parametrize("name", JOBS)
async def test_node_works_on_what_we_add(name: queues.Name, node: Node, redis: Redis) -> None:
    kind, data = JOBS[name]
    for _ in range(2):
        await queues.add(redis, name, kind, data, "ours-1", attempts=3, wait_seconds=0.1)
    seen = await node.ask("job", name=name, id="ours-1")
    assert (seen["state"], seen["name"], seen["data"]) == ("waiting", kind, data)
    assert seen["opts"]["attempts"] == 3
    assert seen["opts"]["backoff"] == {"type": "exponential", "delay": 100}
    await node.ask("work", name=name, failures=1)
    done = await state(node, name, "ours-1", "completed")
    taken = await node.ask("rest")
    # The same id is the same job; its second try came after our back-off.
    assert [(job["id"], job["name"], job["data"], job["made"]) for job in taken] == [
        ("ours-1", kind, data, 0),
        ("ours-1", kind, data, 1),
    ]
    assert taken[1]["at"] - taken[0]["at"] >= 100
    assert done["attemptsMade"] == 2
    assert await queue_admin.counts(redis, name) == {
        "waiting": 0,
        "active": 0,
        "delayed": 0,
        "completed": 1,
        "failed": 0,
    }


async def test_what_node_gave_up_is_seen_and_retried_here(node: Node, redis: Redis, settings: RedisSettings) -> None:
    await queues.add(redis, "webhook", "deliver", JOBS["webhook"][1], "ours-2", attempts=2, wait_seconds=0.01)
    await node.ask("work", name="webhook", failures=2)
    await state(node, "webhook", "ours-2", "failed")
    await node.ask("rest")
    (failed,) = await queue_admin.failed(redis, "webhook")
    assert (failed.id, failed.name, failed.reason, failed.tries) == ("ours-2", "deliver", "not yet", 2)
    assert await queue_admin.retry_failed(redis, "ours-2") == 1
    done = asyncio.Event()

    async def process(task: Job) -> None:
        assert task.data == JOBS["webhook"][1]
        done.set()

    worker: Processor = process
    async with working({"webhook": worker}, settings, concurrency=1), asyncio.timeout(PATIENCE):
        await done.wait()
    assert (await state(node, "webhook", "ours-2", "completed"))["attemptsMade"] == 1

"""Rows of `python -m bench`, each measured on a service of its own: (what, figure, aim)."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

from redis.asyncio import Redis

from bench.processes import Process
from bench.service import MeasuredService, measured_service
from sandbox.ports import free_port

Row = tuple[str, str, str]
ROUNDS = 3
ACKS = 2000
TURNS = 800
SINGLES = 40
MODEL_SECONDS = 2.0
CROWDS = ((200, "≤ 1"), (1000, "≤ 3"))
_REST_SECONDS = 4.0


async def acknowledgements() -> list[Row]:
    """Rates of acknowledgements, in turns with a bare handler that does the same HMAC and one Redis script."""
    async with measured_service() as service:
        port = free_port()
        bare = await Process.start(service.stack, "bench.baseline", port=port)
        await asyncio.sleep(1)
        rows = [
            ("serve: seconds until ready", f"{service.server.seconds_until_ready:.2f}", "≤ 2"),
            ("serve: resident memory at rest, MB", f"{service.server.megabytes:.0f}", "≤ 150"),
        ]
        load = service.load(people=500)
        rates: dict[int, list[float]] = {service.port: [], port: []}
        cpu: dict[int, float] = {service.port: 0, port: 0}
        for _ in range(ROUNDS):
            for asked, process in ((service.port, service.server), (port, bare)):
                before = process.cpu_seconds
                rates[asked].append(await load.acknowledge(asked, ACKS))
                cpu[asked] += process.cpu_seconds - before
        ours, floor = median(rates[service.port]), median(rates[port])
        return [
            *rows,
            ("acknowledgements per second", f"{ours:.0f}", ""),
            ("the same of a bare aiohttp handler (HMAC, one script)", f"{floor:.0f}", ""),
            ("ratio", f"{ours / floor:.2f}", "≥ 0.8"),
            ("ratio by CPU of the two processes", f"{cpu[port] / cpu[service.port]:.2f}", "≥ 0.8"),
        ]


async def turns() -> list[Row]:
    """Whole turns with a model that answers at once: one server and one worker, each message from another person."""
    async with measured_service(workers=1) as service:
        rows = [("worker: seconds until ready", f"{service.workers[0].seconds_until_ready:.2f}", "≤ 2")]
        await asyncio.sleep(_REST_SECONDS)
        rows.append(("serve and worker: resident memory at rest, MB", f"{service.megabytes:.0f}", "≤ 150"))
        load = service.load()
        # The first turn loads the model's client.
        await load.acknowledge(service.port, 1)
        await service.upstreams.sent(1, within=30)
        before, began = service.cpu_seconds, time.perf_counter()
        await load.acknowledge(service.port, TURNS)
        await service.upstreams.sent(TURNS + 1, within=300)
        seconds = time.perf_counter() - began
        rows.append(("turns per second, one worker", f"{TURNS / seconds:.0f}", ""))
        spent = (service.cpu_seconds - before) / TURNS * 1000
        rows.append(("CPU milliseconds of serve and worker a turn", f"{spent:.1f}", ""))
        waits = []
        for count in range(1, SINGLES + 1):
            began = time.perf_counter()
            await load.acknowledge(service.port, 1)
            await service.upstreams.sent(TURNS + 1 + count, within=30)
            waits.append((service.upstreams.last_at - began) * 1000)
        rows.append(("from webhook to reply at Meta, model at once, ms (median)", f"{median(waits):.1f}", ""))
        rows.append(("the same, 95th percentile", f"{_share(waits, 0.95):.1f}", ""))
        return rows


async def crowds() -> list[Row]:
    """People who write at once, two workers, a model of 2 s: the time that is added to the model's."""
    rows = []
    for people, aim in CROWDS:
        async with measured_service(workers=2, model_seconds=MODEL_SECONDS) as service:
            load = service.load()
            await load.acknowledge(service.port, 2)
            await service.upstreams.sent(2, within=60)
            service.upstreams.sent_at.clear()
            began = time.perf_counter()
            await load.acknowledge(service.port, people)
            await service.upstreams.sent(2 + people, within=300)
            added = [at - began - MODEL_SECONDS for at in service.upstreams.sent_at.values()]
            rows.append((f"{people} people at once: seconds added, 95th percentile", f"{_share(added, 0.95):.1f}", aim))
    return rows


async def profile() -> tuple[list[Row], list[str]]:
    """Round trips of a turn to Redis, and the ten heaviest functions of a worker under load."""
    with tempfile.TemporaryDirectory() as name:
        told = Path(name) / "profile.json"
        os.environ["BENCH_PROFILE"] = str(told)
        async with measured_service() as service:
            await service.add_worker("bench.profiled_worker", "--")
            await _known_people(service)
            await service.workers[0].stop()
        found = json.loads(told.read_text())
    heaviest = Counter(found["functions"]).most_common(10)
    total = max(found["samples"], 1)
    lines = [f"{count / total:6.1%}  {function}" for function, count in heaviest]
    trips = found["trips"] / max(found["jobs"], 1)
    return [("round trips to Redis of a plain turn, BullMQ's included", f"{trips:.1f}", "≤ 12")], lines


async def _known_people(service: MeasuredService, people: int = 100) -> None:
    """Two turns of each person: only the second is that of a known one, so that most are."""
    load = service.load(people=people)
    for done in range(1, 5):
        await load.acknowledge(service.port, people)
        await service.upstreams.sent(done * people, within=120)
    async with Redis.from_url(service.redis) as client:
        assert not await client.zcard("recado:open")


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]

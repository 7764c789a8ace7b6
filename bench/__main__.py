"""`make bench`: acknowledgements, turns, latency, CPU, memory and start of Recado's real processes, in one run."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import psutil
from redis.asyncio import Redis

from bench import prompts
from bench.load import Load
from bench.processes import Process
from bench.upstreams import Upstreams
from sandbox.ports import free_port
from sandbox.redis_server import redis_server

ROUNDS = 3
ACKS = 2000
TURNS = 600
SINGLES = 40


async def main() -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = await stack.enter_async_context(redis_server(folder, options=("--appendfsync", "everysec")))
        upstreams = Upstreams()
        await upstreams.start(stack)
        os.environ.update(
            REDIS_URL=redis,
            WHATSAPP_ACCESS_TOKEN="t",
            WHATSAPP_PHONE_NUMBER_ID="1",
            WHATSAPP_APP_SECRET=secrets.token_hex(8),
            WHATSAPP_API_BASE_URL=upstreams.url,
            WHATSAPP_MESSAGES_PER_SECOND="1000",
            OPENROUTER_API_KEY="k",
            LLM_BASE_URL=f"{upstreams.url}/api/v1",
            TURN_QUIET_SECONDS="0",
            LOG_LEVEL="info",
        )
        table: list[tuple[str, str, str]] = []
        ports = free_port(), free_port()
        serve = await Process.start(stack, "bot", "serve", "--host", "127.0.0.1", "--port", str(ports[0]))
        floor = await Process.start(stack, "bench.baseline", port=ports[1])
        await asyncio.sleep(1)
        table.append(("serve: seconds until ready", f"{serve.seconds_until_ready:.2f}", "≤ 2"))
        table.append(("serve: resident memory at rest, MB", f"{serve.megabytes:.0f}", "≤ 150"))

        load = Load(os.environ["WHATSAPP_APP_SECRET"])
        rates: dict[int, list[float]] = {port: [] for port in ports}
        for _ in range(ROUNDS):
            for port in ports:
                rates[port].append(await load.acknowledge(port, ACKS))
        ours, bare = median(rates[ports[0]]), median(rates[ports[1]])
        table.append(("acknowledgements per second", f"{ours:.0f}", ""))
        table.append(("the same of a bare aiohttp handler (HMAC, one script)", f"{bare:.0f}", ""))
        table.append(("ratio", f"{ours / bare:.2f}", "≥ 0.8"))
        await floor.stop()

        async with Redis.from_url(redis) as client:
            await client.flushall()
        # From here on each message comes from another person, so that each gets a turn of its own.
        load = Load(os.environ["WHATSAPP_APP_SECRET"], people=10**8)
        worker = await Process.start(stack, "bot", "worker")
        table.append(("worker: seconds until ready", f"{worker.seconds_until_ready:.2f}", "≤ 2"))
        cpu, began = worker.cpu_seconds, time.perf_counter()
        await load.acknowledge(ports[0], TURNS)
        await upstreams.sent(TURNS, within=120)
        table.append(("turns per second, one worker", f"{TURNS / (time.perf_counter() - began):.0f}", ""))
        table.append(("CPU milliseconds of the worker a turn", f"{(worker.cpu_seconds - cpu) / TURNS * 1000:.1f}", ""))

        waits = []
        for count in range(1, SINGLES + 1):
            began = time.perf_counter()
            await load.acknowledge(ports[0], 1)
            await upstreams.sent(TURNS + count, within=10)
            waits.append((upstreams.last_at - began) * 1000)
        table.append(("from webhook to reply at Meta, model at once, ms (median)", f"{median(waits):.1f}", ""))
        table.append(("the same, 95th percentile", f"{sorted(waits)[int(SINGLES * 0.95)]:.1f}", ""))
        table.append(("worker: resident memory after all that, MB", f"{worker.megabytes:.0f}", ""))
        fresh = await Process.start(stack, "bot", "worker")
        await asyncio.sleep(3)
        table.append(("worker: resident memory at rest, MB", f"{fresh.megabytes:.0f}", "≤ 150"))
        table += prompts.measured()
        _print(table)


def _print(table: list[tuple[str, str, str]]) -> None:
    width = max(len(name) for name, _, _ in table)
    print(f"Python {sys.version.split()[0]}, {psutil.cpu_count()} cores")
    for name, value, aim in table:
        print(f"{name.ljust(width)}  {value.rjust(7)}  {aim}")
    if "--json" in sys.argv:
        print(json.dumps(table))


asyncio.run(main())

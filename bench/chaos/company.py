"""Two servers, two workers, a real Redis, and simulators of Meta and the models; killed processes are replaced."""

from __future__ import annotations

import asyncio
import json
import random
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

import psutil
from redis.asyncio import Redis

from bench.chaos.killed_process import KilledProcess
from bench.upgraded_file import put_upgraded
from bot.infra.crash_points import Point
from bot.web.server import listening
from sandbox.meta.simulator import MetaSimulator
from sandbox.ports import free_port
from sandbox.redis_server import redis_server
from sandbox.simulators.openrouter import OpenRouterSimulator

Kind = Literal["serve", "worker"]
CLOSING: Point = "worker: closing"
ORDER = re.compile(r"pedido (\S+) para (\d+)")
TOKEN = re.compile(r"#\d+\.\d+")


def echo(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
    """A model that answers with the numbers of its questions, and sends a template for each order in them."""
    said = next(line["content"] for line in reversed(messages) if line["role"] == "user")
    if tools and messages[-1]["role"] == "user" and (orders := ORDER.findall(said)):
        calls = [
            {"name": "send_template", "arguments": json.dumps(_confirmation(order, phone))} for order, phone in orders
        ]
        made = [{"id": f"call_{index}", "type": "function", "function": call} for index, call in enumerate(calls)]
        return {"role": "assistant", "content": None, "tool_calls": made}
    return {"role": "assistant", "content": " ".join(TOKEN.findall(said)) or "resumen"}


def _confirmation(order: str, phone: str) -> dict[str, Any]:
    return {
        "to": phone,
        "template": "order_confirmation",
        "parameters": {"name": "Luis", "order": order, "total": "$10"},
    }


def process_of_point(point: Point) -> Kind:
    return "serve" if point.startswith("webhook") else "worker"


@dataclass
class Company:
    """`pending_points` are the crash points still to come; `deaths` the points where a process has died.

    `unexpected_exits` are the processes that ended without an order, with their exit codes.
    """

    redis: Redis
    meta: MetaSimulator
    models: OpenRouterSimulator
    environment: dict[str, str]
    folder: Path
    concurrency: int = 100
    pending_points: list[Point] = field(default_factory=list)
    deaths: list[Point] = field(default_factory=list)
    unexpected_exits: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    ports: list[int] = field(default_factory=list)
    _slots: dict[int, tuple[Kind, KilledProcess]] = field(default_factory=dict)
    _names: count[int] = field(default_factory=count)

    @property
    def webhook(self) -> str:
        """The address of one of the servers, in turn."""
        return f"http://127.0.0.1:{self.chance.choice(self.ports)}/webhooks/whatsapp"

    def start_processes(self, servers: int, workers: int) -> None:
        self.ports = [free_port() for _ in range(servers)]
        for slot in range(servers + workers):
            self._fill(slot, "serve" if slot < servers else "worker")

    async def ready(self) -> None:
        await asyncio.gather(*(process.ready() for _, process in self._slots.values()))

    async def supervise(self) -> None:
        """Replace dead processes for ever; one of each kind dies at the next pending point."""
        while True:
            for slot, (kind, process) in list(self._slots.items()):
                if process.dead:
                    if process.died_there and process.point is not None:
                        self.deaths.append(process.point)
                    elif not process.told_to_stop:
                        self.unexpected_exits.append(f"{kind}: {process.process.exitcode}")
                    self._fill(slot, kind)
                elif process.point == CLOSING and process.is_ready and not process.told_to_stop:
                    # Not at the first passing, so that the process has work in hand.
                    process.told_to_stop = True
                    asyncio.get_running_loop().call_later(1, process.tell_to_stop)
            # Meta's statuses go to any of the servers too.
            self.meta.delivery.sender.url = self.webhook
            await asyncio.sleep(0.05)

    async def restart_all(self) -> list[int | None]:
        """Restart every process, one after the other, as a deployment does; gives their exit codes."""
        codes = []
        for slot, (kind, process) in list(self._slots.items()):
            process.tell_to_stop()
            codes.append(await process.ended())
            if self._slots[slot][1] is process:
                self._fill(slot, kind)
            await self._slots[slot][1].ready()
        return codes

    def stats(self, kind: Kind) -> list[psutil.Process]:
        """The processes of a kind, for measuring memory and CPU time."""
        return [psutil.Process(process.process.pid) for each, process in self._slots.values() if each == kind]

    def close(self) -> None:
        for _, process in self._slots.values():
            process.process.kill()
            process.process.join()

    def _fill(self, slot: int, kind: Kind) -> None:
        port = str(self.ports[slot]) if kind == "serve" else ""
        options = ["--host", "127.0.0.1", "--port", port] if port else ["--concurrency", str(self.concurrency)]
        # Only one process of a kind dies at a time, because five interruptions end a turn.
        doomed = any(
            running_kind == kind and process.point and not process.dead
            for running_kind, process in self._slots.values()
        )
        point = (
            None
            if doomed
            else next((point_name for point_name in self.pending_points if process_of_point(point_name) == kind), None)
        )
        if point is not None:
            self.pending_points.remove(point)
        # A closing process passes the point once.
        passing = 1 if point == CLOSING else self.chance.randint(1, 3)
        log = self.folder / f"{kind}-{next(self._names)}.log"
        self._slots[slot] = (
            kind,
            KilledProcess.start([kind, *options], self.environment, log, point, passing),
        )


@asynccontextmanager
async def open_company(  # noqa: PLR0913 - what a bench may want to vary
    folder: Path,
    *,
    points: Sequence[Point] = (),
    staff: Sequence[str] = (),
    servers: int = 2,
    workers: int = 2,
    concurrency: int = 100,
    model_seconds: float = 0.1,
    redis_url: str | None = None,
    database_url: str | None = None,
) -> AsyncIterator[Company]:
    """Run the company until the context ends; a model takes `model_seconds`.

    Without `database_url` the history is in a file. With `redis_url` it uses that Redis, which may be away, so that
    nobody waits for ready processes.
    """
    async with AsyncExitStack() as stack:
        url = redis_url or ""
        if not url:
            server = redis_server(folder / "redis", options=("--appendfsync", "everysec"))
            url = await stack.enter_async_context(server)
        models = OpenRouterSimulator("openrouter-key", rules=echo, seconds=model_seconds)
        models_url = await stack.enter_async_context(listening(models.app(), "127.0.0.1", 0, finish=0.1))
        meta = _meta()
        file = folder / "recado.db"
        if database_url is None:
            await asyncio.to_thread(put_upgraded, file)
        environment = _environment(meta, url, models_url, staff) | {
            "WHATSAPP_API_BASE_URL": await meta.start(),
            "DATABASE_URL": database_url or f"sqlite:///{file}",
        }
        stack.push_async_callback(meta.stop)
        redis = await stack.enter_async_context(Redis.from_url(url, decode_responses=True))
        company = Company(
            redis, meta, models, environment, folder, pending_points=list(points), concurrency=concurrency
        )
        stack.callback(company.close)
        company.start_processes(servers, workers)
        if redis_url is None:
            await company.ready()
        minding = asyncio.create_task(company.supervise())
        stack.push_async_callback(asyncio.wait, [minding])
        stack.callback(minding.cancel)
        yield company


def _meta() -> MetaSimulator:
    return MetaSimulator(
        webhook_url="",
        app_secret=secrets.token_hex(8),
        access_token=secrets.token_hex(8),
        verify_token="verify",
        status_pauses=(0, 0.05, 0.1),
        retry_pauses=(0.2, 0.5, 1, 2, 4, 8),
        # The simulator's rate limit is high, because only Recado is measured.
        throughput=10_000,
    )


def _environment(meta: MetaSimulator, redis_url: str, models_url: str, staff: Sequence[str]) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "WHATSAPP_ACCESS_TOKEN": meta.access_token,
        "WHATSAPP_PHONE_NUMBER_ID": meta.phone_number_id,
        "WHATSAPP_WABA_ID": meta.waba_id,
        "WHATSAPP_APP_SECRET": meta.app_secret,
        "WHATSAPP_MESSAGES_PER_SECOND": "1000",
        "RATE_LIMIT_CONTACT": "1000/minute",
        "OPENROUTER_API_KEY": "openrouter-key",
        "LLM_BASE_URL": f"{models_url}/api/v1",
        "TURN_QUIET_SECONDS": "0.3",
        "STAFF_CONTACTS": ",".join(staff),
        # The memory is short, so that summaries are made too.
        "MEMORY_MESSAGES": "4",
        "LOG_LEVEL": "info",
        "LOG_FORMAT": "json",
    }

"""A whole Recado to measure: Redis on a disk, upstreams that answer at once, one server and some workers."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Load
from bench.processes import Process
from bench.upstreams import Upstreams
from sandbox.ports import free_port
from sandbox.redis_server import redis_server


@dataclass
class MeasuredService:
    redis: str
    port: int
    upstreams: Upstreams
    server: Process
    stack: AsyncExitStack
    workers: list[Process] = field(default_factory=list)

    def load(self, people: int = 10**8) -> Load:
        """Senders of messages; with the default each message comes from another person."""
        return Load(os.environ["WHATSAPP_APP_SECRET"], people=people)

    async def add_worker(self, module: str = "bot", *arguments: str) -> Process:
        worker = await Process.start(self.stack, module, *(arguments or ("worker",)))
        self.workers.append(worker)
        return worker

    @property
    def cpu_seconds(self) -> float:
        """Of the server and all workers."""
        return sum(process.cpu_seconds for process in (self.server, *self.workers))

    @property
    def megabytes(self) -> float:
        return sum(process.megabytes for process in (self.server, *self.workers))


@asynccontextmanager
async def measured_service(*, workers: int = 0, model_seconds: float = 0) -> AsyncIterator[MeasuredService]:
    """Run it until the context ends. Its variables are those of this process."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = await stack.enter_async_context(redis_server(folder, options=("--appendfsync", "everysec")))
        upstreams = Upstreams(model_seconds)
        await upstreams.start(stack)
        os.environ.update(
            REDIS_URL=redis,
            DATABASE_URL=f"sqlite:///{folder / 'recado.db'}",
            WHATSAPP_ACCESS_TOKEN="t",
            WHATSAPP_PHONE_NUMBER_ID="1",
            WHATSAPP_APP_SECRET=secrets.token_hex(8),
            WHATSAPP_API_BASE_URL=upstreams.url,
            WHATSAPP_MESSAGES_PER_SECOND="1000",
            OPENROUTER_API_KEY="k",
            LLM_BASE_URL=f"{upstreams.url}/api/v1",
            TURN_QUIET_SECONDS="0",
            BUDGET_TOTAL_USD_DAY="1000000",
            LOG_LEVEL="info",
        )
        port = free_port()
        server = await Process.start(stack, "bot", "serve", "--host", "127.0.0.1", "--port", str(port))
        service = MeasuredService(redis, port, upstreams, server, stack)
        for _ in range(workers):
            await service.add_worker()
        yield service

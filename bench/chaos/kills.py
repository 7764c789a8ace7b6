"""Servers and workers killed with SIGKILL at every crash point, while a crowd writes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.company import open_company
from bench.chaos.crowd import crowd_of, staff_among
from bench.chaos.verdict import CrowdVerdict, judge, settled
from bot.infra.crash_points import POINTS, Point


@dataclass(frozen=True, slots=True)
class KillsResult:
    """`deaths` counts deaths by point; `posts` the webhooks, of which `refused` were not accepted at first."""

    verdict: CrowdVerdict
    deaths: Counter[Point]
    people: int
    posts: int
    refused: int


async def run_kills(folder: Path, *, people: int, bursts: int, rounds: int = 1) -> KillsResult:
    """Let people write until a process has died at every point `rounds` times, and then until all is quiet."""
    staff = staff_among(people)
    async with open_company(folder, points=POINTS * rounds, staff=staff) as company:
        crowd = crowd_of(company, people, staff)
        await crowd.write(bursts)
        while len(company.deaths) < len(POINTS) * rounds:
            # Enough writing to pass every point, but little enough for messages to get through.
            await crowd.write(1, people=min(people, 24))
        await settled(company)
        verdict = await judge(company, crowd)
        return KillsResult(verdict, Counter(company.deaths), people, crowd.posts, crowd.refused)

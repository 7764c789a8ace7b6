"""Rolling restarts of every process while people write, as in a deployment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.company import TOKEN, Company, open_company
from bench.chaos.crowd import Crowd, crowd_of, staff_among
from bench.chaos.verdict import CrowdVerdict, judge, settled


@dataclass(frozen=True, slots=True)
class RestartsResult:
    """`codes` are the exit codes; `slowest` is the longest wait for a reply, in seconds.

    `unfinished` counts the workers whose grace period ended before their turns.
    `refused` are webhooks that found no server, which Meta delivers again.
    """

    verdict: CrowdVerdict
    codes: list[int | None]
    unexpected_exits: list[str]
    unfinished: int
    posts: int
    refused: int
    slowest: float
    median: float


async def run_restarts(folder: Path, *, people: int = 24, bursts: int = 2, rounds: int = 1) -> RestartsResult:
    """Let people write while all processes are restarted `rounds` times, and then until all is quiet."""
    staff = staff_among(people)
    async with open_company(folder, staff=staff) as company:
        crowd = crowd_of(company, people, staff)
        writing = asyncio.create_task(crowd.write(bursts))
        await asyncio.sleep(0.5)
        codes = [code for _ in range(rounds) for code in await company.restart_all()]
        await writing
        await settled(company)
        verdict = await judge(company, crowd)
        waits = sorted(_waits(company, crowd))
        return RestartsResult(
            verdict,
            codes,
            list(company.unexpected_exits),
            await asyncio.to_thread(_unfinished, folder),
            crowd.posts,
            crowd.refused,
            slowest=waits[-1],
            median=waits[len(waits) // 2],
        )


def _unfinished(folder: Path) -> int:
    return sum('"grace_over"' in log.read_text() for log in folder.glob("worker-*.log"))


def _waits(company: Company, crowd: Crowd) -> list[float]:
    """Seconds from each message's time to its reply at Meta."""
    return [
        reply.at.timestamp() - crowd.written[token]
        for person in crowd.people
        for reply in company.meta.sent_to(person)
        if reply.type == "text"
        for token in TOKEN.findall(reply.text)
    ]

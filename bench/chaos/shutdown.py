"""Every process told to stop and started anew, one after the other, while people write: as a deployment does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.company import TOKEN, Company, opened
from bench.chaos.crowd import Crowd, crowd_of, staff_among
from bench.chaos.verdict import Verdict, judge, settled


@dataclass(frozen=True, slots=True)
class Rolled:
    """`codes` are the exit codes; `slowest` the longest that a message waited for its reply, in seconds.

    `unfinished` counts the workers whose grace ended before their turns.
    `refused` are webhooks that found nobody at the moment: Meta delivers them again.
    """

    verdict: Verdict
    codes: list[int | None]
    fallen: list[str]
    unfinished: int
    posts: int
    refused: int
    slowest: float
    median: float


async def rolled(folder: Path, *, people: int = 24, bursts: int = 2, rounds: int = 1) -> Rolled:
    """Let people write while all processes are restarted `rounds` times, and then until all is quiet."""
    staff = staff_among(people)
    async with opened(folder, staff=staff) as company:
        crowd = crowd_of(company, people, staff)
        writing = asyncio.create_task(crowd.write(bursts))
        await asyncio.sleep(0.5)
        codes = [code for _ in range(rounds) for code in await company.roll()]
        await writing
        await settled(company)
        verdict = await judge(company, crowd)
        waits = sorted(_waits(company, crowd))
        return Rolled(
            verdict,
            codes,
            list(company.fallen),
            await asyncio.to_thread(_unfinished, folder),
            crowd.posts,
            crowd.refused,
            slowest=waits[-1],
            median=waits[len(waits) // 2],
        )


def _unfinished(folder: Path) -> int:
    return sum('"grace_over"' in log.read_text() for log in folder.glob("worker-*.log"))


def _waits(company: Company, crowd: Crowd) -> list[float]:
    """Seconds from when each message was written to when Meta had its reply."""
    return [
        reply.at.timestamp() - crowd.written[token]
        for person in crowd.people
        for reply in company.meta.sent_to(person)
        if reply.type == "text"
        for token in TOKEN.findall(reply.text)
    ]

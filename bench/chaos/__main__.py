"""`make chaos`: breaks Recado's real processes on purpose and prints the tables of docs/reliability.md again."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from bench.chaos import history_faults, load, node, redis_faults, upstreams
from bench.chaos.kills import run_kills
from bench.chaos.shutdown import run_restarts
from bot.infra.crash_points import POINTS

Work = Callable[[Path], Awaitable[None]]


async def kills(folder: Path) -> None:
    """SIGKILL at every named point, twice each, while 240 people write."""
    outcome = await run_kills(folder, people=240, bursts=3, rounds=2)
    verdict = outcome.verdict
    table(
        ("killed at", "processes"),
        [(point, outcome.deaths[point]) for point in POINTS],
    )
    table(
        ("what became of it", ""),
        [
            ("people · messages · webhook posts", f"{outcome.people} · {verdict.messages} · {outcome.posts}"),
            ("webhooks not taken at once, and delivered again", outcome.refused),
            ("messages lost · answered twice", f"{len(verdict.lost)} · {len(verdict.answered_twice)}"),
            ("people answered out of order", len(verdict.out_of_order)),
            ("tool effects · lost · twice",
             f"{verdict.effects} · {len(verdict.effects_lost)} · {len(verdict.effects_twice)}"),
            ("ledger entries without an end · failed", f"{len(verdict.without_end)} · {len(verdict.failed)}"),
            ("unaccounted at the end", verdict.unaccounted),
        ],
    )  # fmt: skip
    if verdict.faults:
        raise SystemExit(f"kills: {', '.join(verdict.faults)}")


async def loads(folder: Path) -> None:
    """A model that takes 2 s: a thousand messages at once, a steady rate, a flood, and twice the workers."""
    burst = await load.burst(folder / "burst", 1000)
    calm = await load.steady(folder / "calm", 40, 600)
    flood = await load.steady(folder / "flood", 40, 600, flood=2000)
    with_one = await load.throughput(folder / "one", 1, 300, 25)
    with_two = await load.throughput(folder / "two", 2, 600, 25)
    table(
        ("with a model that takes 2 s, two workers", ""),
        [
            ("1,000 conversations at the same moment: added by Recado, median · 95th percentile",
             f"{burst.median:.2f} s · {burst.p95:.2f} s"),
            ("the same: highest memory of a worker · CPU of the workers a turn",
             f"{burst.megabytes:.0f} MB · {burst.cpu_ms:.1f} ms"),
            ("40 conversations a second: added, median · 95th percentile", f"{calm[0]:.2f} s · {calm[1]:.2f} s"),
            ("the same while one person sends 200 messages a second", f"{flood[0]:.2f} s · {flood[1]:.2f} s"),
            ("turns a second, one worker · two workers (25 at a time each)",
             f"{with_one:.1f} · {with_two:.1f}: ratio {with_two / with_one:.2f}"),
        ],
    )  # fmt: skip


async def outside(_: Path) -> None:
    """Every failure of every upstream: the customer's answer, and its delay."""
    print()
    faults = await upstreams.run(lambda cells: print(upstreams.markdown(cells), flush=True))
    if faults:
        raise SystemExit(f"upstreams: {'; '.join(map(str, faults))}")


async def redis(folder: Path) -> None:
    """Redis fails in every way while 40 people write; a 200 to Meta promises that the message is on disk."""
    rows = await redis_faults.rows(folder)
    table(
        ("Redis", "webhooks answered 503", "slowest answer", "first 200 again after", "lost", "twice",
         "unaccounted", "all answered after", "processes that ended"),
        [
            (row.fault, row.refused, f"{row.slowest:.1f} s", f"{row.back_after:.1f} s", len(row.verdict.lost),
             len(row.verdict.answered_twice) + len(row.verdict.effects_twice), row.verdict.unaccounted,
             f"{row.settled_after:.1f} s", len(row.unexpected_exits))
            for row in rows
        ],
    )  # fmt: skip
    wrong = [row.fault for row in rows if row.verdict.faults or row.unexpected_exits]
    if wrong:
        raise SystemExit(f"redis: {', '.join(wrong)}")


async def deployments(folder: Path) -> None:
    """Two servers and two workers restarted three times, one after the other, while 80 people write."""
    outcome = await run_restarts(folder, people=80, bursts=6, rounds=3)
    verdict = outcome.verdict
    table(
        ("restarted under load", ""),
        [
            ("processes · of them with exit code 0", f"{len(outcome.codes)} · {outcome.codes.count(0)}"),
            ("messages · webhook posts", f"{verdict.messages} · {outcome.posts}"),
            ("webhooks that found nobody, and were delivered again", outcome.refused),
            ("messages lost · answered twice · failed",
             f"{len(verdict.lost)} · {len(verdict.answered_twice)} · {len(verdict.failed)}"),
            ("tool effects · lost · twice",
             f"{verdict.effects} · {len(verdict.effects_lost)} · {len(verdict.effects_twice)}"),
            ("from a message to its reply, median · slowest", f"{outcome.median:.1f} s · {outcome.slowest:.1f} s"),
        ],
    )  # fmt: skip
    if verdict.faults or any(outcome.codes):
        raise SystemExit(f"deployments: {', '.join(verdict.faults)} {outcome.codes}")


async def shared(folder: Path) -> None:
    """A thousand jobs each way between Recado and BullMQ on Node; one try in ten fails and is repeated."""
    rows = await node.rows(folder)
    table(
        ("jobs", "", "lost", "tried again", "done twice", "seconds"),
        [(row.way, row.jobs, row.lost, row.retried, row.twice, f"{row.seconds:.1f}") for row in rows],
    )
    if any(row.lost or row.twice for row in rows):
        raise SystemExit("queues: jobs were lost or done twice")


async def history(folder: Path) -> None:
    """Workers killed between Redis and the database, two at a time; and a database that is away under load."""
    rows = await history_faults.rows(folder)
    table(
        ("history", "messages · replies", "processes killed", "entries that waited", "lost", "twice",
         "all answered meanwhile"),
        [
            (row.fault, f"{row.verdict.messages} · {row.verdict.replies}", row.deaths, row.backlog,
             len(row.verdict.history_lost), len(row.verdict.history_twice), "yes" if row.answered else "no")
            for row in rows
        ],
    )  # fmt: skip
    wrong = [row.fault for row in rows if row.verdict.faults or not row.answered]
    if wrong:
        raise SystemExit(f"history: {', '.join(wrong)}")


WORKS: dict[str, Work] = {
    "kills": kills,
    "redis": redis,
    "deployments": deployments,
    "queues": shared,
    "upstreams": outside,
    "load": loads,
    "history": history,
}


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> None:
    print()
    for cells in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


async def main(names: list[str]) -> None:
    unknown = set(names) - set(WORKS)
    if unknown:
        raise SystemExit(f"{', '.join(sorted(unknown))}: expected some of {', '.join(WORKS)}")
    for name in names or WORKS:
        with tempfile.TemporaryDirectory() as folder:
            print(f"\n### {name}: {(WORKS[name].__doc__ or '').strip()}", flush=True)
            await WORKS[name](Path(folder))


if __name__ == "__main__":
    from bot.infra import logs

    logs.configure("critical", "console")
    asyncio.run(main(sys.argv[1:]))

"""`recado prompts canary` and `promote`: how a candidate does beside the current release, and making it current."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.cli.prompts import Author, Format, Note, run, show, user

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.prompting.canary import Canary
    from bot.prompting.canary_analysis import Signal
    from bot.prompting.canary_metrics import Tallies
    from bot.prompting.library import Library
    from bot.settings import Settings


def promote(note: Note = "", author: Author = None, output: Format = "text") -> None:
    """Make the candidate the current release, for all processes at once."""

    async def work(_: Settings, __: Redis, library: Library) -> bool:
        from bot.prompting.releases import UnknownRelease  # noqa: PLC0415 - each command loads only what it runs

        canary = await library.releases.canary()
        if not await library.end(canary, promote=True, author=author or user(), note=note):
            raise UnknownRelease(f"{canary.release} is no candidate any more; see `recado prompts list`")
        show({"release": canary.release} if output == "json" else f"released: {canary.release}")
        return True

    run(work, output)


def canary(output: Format = "text") -> None:
    """The candidate and the current release side by side: what is judged, and how it stands. Exit 1 without one."""

    async def work(_: Settings, redis: Redis, library: Library) -> bool:
        from bot.prompting.canary_analysis import LEAST_TURNS, as_json, compared  # noqa: PLC0415 - as above
        from bot.prompting.canary_metrics import Signals  # noqa: PLC0415 - as above

        now, stands = await library.releases.canary(), await library.releases.standing()
        tallies = await Signals(redis).read()
        signals = compared(tallies)
        if output == "json":
            show({
                "release": now.release, "percent": now.percent, "since": now.since.isoformat(),
                "current": stands.current, "least_turns": LEAST_TURNS,
                "turns": {"current": tallies.current.turns, "candidate": tallies.candidate.turns},
                "signals": as_json(signals),
            })  # fmt: skip
        else:
            show("\n".join(_lines(now, stands.current, tallies, signals)))
        return True

    run(work, output)


def _lines(now: Canary, current: str | None, tallies: Tallies, signals: tuple[Signal, ...]) -> Iterator[str]:
    from bot.prompting.canary_analysis import LEAST_TURNS  # noqa: PLC0415 - as above

    yield f"candidate {now.release}, {now.percent} % of the contacts since {now.since:%Y-%m-%d %H:%M:%S}Z"
    yield f"{'':<14}{f'current {current}':<36}candidate {now.release}"
    yield f"{'turns':<14}{tallies.current.turns:<36}{tallies.candidate.turns}"
    for one in signals:
        told = "  worse" if one.worse else ""
        yield f"{one.label:<14}{one.shown('current'):<36}{one.shown('candidate')}{told}"
    if min(tallies.current.turns, tallies.candidate.turns) < LEAST_TURNS:
        yield f"nothing is judged before both have {LEAST_TURNS} turns; between brackets is what is true with 99 %"
    else:
        yield "what is clearly worse drops the candidate by itself; between brackets is what is true with 99 %"

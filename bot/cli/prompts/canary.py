"""`recado prompts canary`: a candidate beside the current release."""

from __future__ import annotations

from collections.abc import Iterator

from redis.asyncio import Redis

from bot.cli.prompts.session import run
from bot.cli.prompts.words import say
from bot.cli.terminal import Format, show
from bot.prompting.canary import Canary
from bot.prompting.canary_analysis import LEAST_TURNS, Signal, as_json, compare
from bot.prompting.canary_metrics import Tallies, TallyStore
from bot.prompting.library import Library
from bot.settings import Settings


def canary(output: Format = "text") -> None:
    """The candidate and the current release side by side: what is judged, and how it stands. Exit 1 without one."""

    async def work(_: Settings, redis: Redis, library: Library) -> bool:
        candidate, current = await library.releases.canary(), await library.releases.current()
        tallies = await TallyStore(redis).read()
        signals = compare(tallies)
        if output == "json":
            show({
                "release": candidate.release, "percent": candidate.percent, "since": candidate.since.isoformat(),
                "current": current, "least_turns": LEAST_TURNS,
                "turns": {"current": tallies.current.turns, "candidate": tallies.candidate.turns},
                "signals": as_json(signals),
            })  # fmt: skip
        else:
            show("\n".join(_lines(candidate, current, tallies, signals)))
        return True

    run(work, output)


def _lines(candidate: Canary, current: str | None, tallies: Tallies, signals: tuple[Signal, ...]) -> Iterator[str]:
    since = f"{candidate.since:%Y-%m-%d %H:%M:%S}Z"
    yield say("candidate since", release=candidate.release, percent=candidate.percent, since=since)
    heads = say("current head", release=current), say("candidate head", release=candidate.release)
    yield f"{'':<14}{heads[0]:<36}{heads[1]}"
    yield f"{say('turns'):<14}{tallies.current.turns:<36}{tallies.candidate.turns}"
    for signal in signals:
        worse = f"  {say('worse')}" if signal.worse else ""
        yield f"{signal.label:<14}{signal.shown('current'):<36}{signal.shown('candidate')}{worse}"
    judged = min(tallies.current.turns, tallies.candidate.turns) >= LEAST_TURNS
    yield say("judged") if judged else say("not judged", turns=LEAST_TURNS)

"""`recado prompts list`: history of the releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from redis.asyncio import Redis

from bot.cli.prompts.session import run
from bot.cli.prompts.words import say
from bot.cli.terminal import Format, show
from bot.prompting.canary import CurrentRelease
from bot.prompting.library import Library
from bot.prompting.releases import ReleaseEntry
from bot.settings import Settings


def history(output: Format = "text") -> None:
    """Changes of the release, the newest first; * is the current one, ~ a candidate and its share of contacts."""

    async def work(_: Settings, __: Redis, library: Library) -> bool:
        current, entries = await library.releases.current_release(), await library.releases.history()
        if output == "json":
            show([_as_json(entry, current) for entry in entries])
            return True
        show("\n".join(_lines(entries, current)) if entries else say("nothing released"))
        return True

    run(work, output)


def _lines(entries: Sequence[ReleaseEntry], current: CurrentRelease) -> Iterator[str]:
    marks = {current.current: "*"}
    if current.canary:
        marks[current.canary.release] = f"~ {current.canary.percent} %"
    width = max(map(len, marks.values()))
    release, when, how, author, note = (say(f"{name} column") for name in ("release", "when", "how", "author", "note"))
    names = max(len(author), *(len(entry.author) for entry in entries))
    yield f"{'':<{width}} {release:<12}  {when:<20}  {how:<8} {author:<{names}}  {note}"
    for entry in entries:
        # Because a release may have several entries, only the newest gets the mark.
        mark = marks.pop(entry.release, "").ljust(width)
        when = f"{entry.at:%Y-%m-%d %H:%M:%S}Z"
        yield f"{mark} {entry.release:<12}  {when:<20}  {entry.how:<8} {entry.author:<{names}}  {entry.note}".rstrip()
    legend = ("current mark", "candidate mark", "what to do") if current.canary else ("current mark", "what to do")
    yield "".join(say(part) for part in legend)


def _as_json(entry: ReleaseEntry, current: CurrentRelease) -> dict[str, Any]:
    percent = current.canary.percent if current.canary and current.canary.release == entry.release else None
    more = {"at": entry.at.isoformat(), "current": entry.release == current.current, "candidate_percent": percent}
    return asdict(entry) | more

"""`recado prompts rollback`: back to an earlier release."""

from __future__ import annotations

from typing import Annotated

import typer
from redis.asyncio import Redis

from bot.cli.prompts.session import Author, Note, run, user
from bot.cli.prompts.words import say
from bot.cli.terminal import Format, show
from bot.prompting.library import Library
from bot.settings import Settings


def rollback(
    which: Annotated[
        str | None, typer.Argument(metavar="HASH", help="Left out, the candidate's end; else the release before this.")
    ] = None,
    note: Note = "",
    author: Author = None,
    output: Format = "text",
) -> None:
    """Go back to an earlier release, for all processes at once; a candidate is dropped in any case."""

    async def work(_: Settings, __: Redis, library: Library) -> bool:
        candidate = (await library.releases.current_release()).canary
        if which is None and candidate:
            dropped = await library.end_canary(candidate, promote=False, author=author or user(), note=note)
            current, name = await library.releases.current(), candidate.release
            words = say("dropped" if dropped else "no candidate any more", release=name, current=current)
            show({"release": current, "dropped": name} if output == "json" else words)
            return True
        name = await library.roll_back(which, author=author or user(), note=note)
        show({"release": name} if output == "json" else say("released", release=name))
        return True

    run(work, output)

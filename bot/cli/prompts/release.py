"""`recado prompts release`: the folder becomes the current release, or a candidate."""

from __future__ import annotations

from typing import Annotated

import typer
from redis.asyncio import Redis

from bot.cli.prompts.session import Author, Note, run, show_diagnostics, user
from bot.cli.prompts.words import say
from bot.cli.terminal import Format, show, terminal_language
from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.library import Library
from bot.settings import Settings


def release(
    note: Note = "",
    author: Author = None,
    canary: Annotated[
        int | None,
        typer.Option(metavar="PERCENT", min=0, max=99, help="To this share of the contacts first; 0: to all at once."),
    ] = None,
    output: Format = "text",
) -> None:
    """Make PROMPTS_DIR the current release for all processes at once, or a candidate. Exit 1 when it has an error.

    Without --canary, PROMPTS_CANARY_PERCENT holds. With PROMPTS_GATE=offline, the offline evaluation has to pass.
    """

    async def work(settings: Settings, _: Redis, library: Library) -> bool:
        checked = await library.check()
        try:
            how = await library.release(checked, how="release", author=author or user(), note=note, percent=canary)
        except PromptsWrong as error:
            show_diagnostics(
                checked.diagnostics if checked.prompts is None else error.diagnostics,
                output,
                terminal_language(settings),
            )
            return False
        name = checked.release().release
        percent = settings.service.prompts_canary_percent if canary is None else canary
        what = "candidate" if how == "canary" else "released" if how else "released already"
        words = say(what, release=name, percent=percent)
        show({"release": name, "released": how is not None, "how": how} if output == "json" else words)
        return True

    run(work, output)

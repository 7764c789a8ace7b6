"""`recado prompts promote`: the candidate becomes the current release."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.cli.prompts.session import Author, Note, run, user
from bot.cli.prompts.words import say
from bot.cli.terminal import Format, show
from bot.prompting.library import Library
from bot.prompting.releases import UnknownRelease
from bot.settings import Settings


def promote(note: Note = "", author: Author = None, output: Format = "text") -> None:
    """Make the candidate the current release, for all processes at once."""

    async def work(_: Settings, __: Redis, library: Library) -> bool:
        canary = await library.releases.canary()
        if not await library.end_canary(canary, promote=True, author=author or user(), note=note):
            raise UnknownRelease(
                en=f"{canary.release} is no candidate any more; see `recado prompts list`",
                es=f"{canary.release} ya no es candidata; mira `recado prompts list`",
            )
        show({"release": canary.release} if output == "json" else say("released", release=canary.release))
        return True

    run(work, output)

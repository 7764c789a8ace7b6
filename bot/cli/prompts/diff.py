"""`recado prompts diff`: changes between two releases, or between the folder and a release."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from redis.asyncio import Redis

from bot.agent.preview import changes
from bot.cli.prompts.session import run
from bot.cli.prompts.words import say
from bot.cli.terminal import Format, show
from bot.prompting import knowledge_lock
from bot.prompting.files import read_folder
from bot.prompting.library import Library
from bot.settings import Settings

_FOLDER = "folder"


def diff(
    first: Annotated[str | None, typer.Argument(metavar="A", help="Left out, the folder.")] = None,
    second: Annotated[str | None, typer.Argument(metavar="B", help="Left out, A against the current release.")] = None,
    output: Format = "text",
) -> None:
    """Differences of the folder from the current release; or of release A from it; or of B from A."""

    async def work(settings: Settings, _: Redis, library: Library) -> bool:
        old, old_texts = await _texts((first or _FOLDER) if second else "current", settings, library)
        new, new_texts = await _texts(second or first or _FOLDER, settings, library)
        found = changes(old_texts, new_texts, old, new)
        if output == "json":
            show({"old": old, "new": new, "diff": found})
        else:
            names = {name: say("folder") if name == _FOLDER else name for name in (old, new)}
            show(found or say("no difference", old=names[old], new=names[new]))
        return True

    run(work, output)


async def _texts(asked: str, settings: Settings, library: Library) -> tuple[str, dict[str, str]]:
    """Name and files of a release, or of the folder. Raises UnknownRelease."""
    if asked == _FOLDER:
        texts, _ = await asyncio.to_thread(read_folder, settings.service.prompts_dir)
        lock = await library.knowledge()
        return _FOLDER, texts | ({knowledge_lock.FILE: lock} if lock else {})
    name = await library.releases.find(asked)
    return name, await library.releases.texts(name) or {}

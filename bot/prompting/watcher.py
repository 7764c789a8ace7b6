"""Saving is releasing: every change of the folder is checked, and released when it is right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import structlog
from redis.exceptions import RedisError

from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.files import read_folder
from bot.prompting.library import Library
from bot.prompting.release_gate import state_of_cases

_log = structlog.get_logger()
# Editors write a file in several steps: what comes without such a pause is one change, for as long as this at most.
_PAUSE_MS, _LONGEST_MS = 100, 1000
# Not every disk tells of its changes (network, containers): it is looked at this often as well.
_LOOK_MS = 5000
_AGAIN_SECONDS = 1.0


async def watch(library: Library) -> None:
    """Release what is saved, for ever. A wrong folder is told once for each save, and the last good release goes on.

    What counts is that the texts changed: after a rollback the folder stays as it is until somebody writes in it. Where
    the gate refused them, they are tried again when the cases or their recordings change.
    """
    # Nothing yet: what was saved while the process started is found by the first look.
    seen: Any = None
    refused: Any = None
    while True:
        try:
            async for _ in _saves(library):
                there, cases = await _texts(library), await asyncio.to_thread(state_of_cases, library.folder)
                if there != seen or refused not in (None, cases):
                    refused = None if await _release_folder(library, there) else cases
                    seen = there
        except (RedisError, OSError) as error:
            # Redis is away, or the folder is being replaced: what was saved meanwhile is found afterwards.
            _log.warning("watching_again", error=type(error).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)


async def _release_folder(library: Library, there: Any) -> bool:
    """Release the folder if it is right; False where the gate refuses. What changed meanwhile gets its own look."""
    checked = await library.check()
    if checked.prompts is None:
        await library.report(checked.diagnostics)
        return True
    try:
        await library.release(checked, how="watch")
    except PromptsWrong as error:
        if await _texts(library) == there:
            await library.report(error.diagnostics)
        return False
    return True


async def _texts(library: Library) -> Any:
    return await asyncio.to_thread(read_folder, library.folder)


async def _saves(library: Library) -> AsyncIterator[None]:
    from watchfiles import awatch  # noqa: PLC0415 - for the one process that watches

    changes = awatch(
        library.folder,
        debounce=_LONGEST_MS,
        step=_PAUSE_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        recursive=False,
    )
    yield
    async for _ in changes:
        yield

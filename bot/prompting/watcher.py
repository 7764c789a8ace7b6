"""Watcher of the prompts' folder: each saved change is checked, and released if it has no error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog
from redis.exceptions import RedisError

from bot.prompting.diagnostics import Diagnostic, PromptsWrong
from bot.prompting.files import read_folder
from bot.prompting.library import Library
from bot.prompting.release_gate import state_of_cases

_log = structlog.get_logger()
# Because editors write a file in several steps, changes without a pause count as one, up to the longest wait.
_PAUSE_MS, _LONGEST_MS = 100, 1000
# Because disks of networks and containers may send no events, the folder is also read this often.
_LOOK_MS = 5000
_AGAIN_SECONDS = 1.0
# Texts by file name, diagnostics of unreadable files, and the lock of the synced documents.
_Folder = tuple[dict[str, str], list[Diagnostic], str | None]


async def watch(library: Library) -> None:
    """Release each saved change, for ever. A wrong folder is reported once a save; the last good release goes on.

    Because only changed texts count, a rollback holds until somebody edits the folder. Texts that the gate refused are
    tried again when cases or recordings change.
    """
    # Because the first look finds changes from during the start, no state is known yet.
    seen: _Folder | None = None
    refused: list[tuple[str, int, int]] | None = None
    while True:
        try:
            async for _ in _saves(library):
                folder, cases = await _read(library), await asyncio.to_thread(state_of_cases, library.folder)
                if folder != seen or refused not in (None, cases):
                    refused = None if await _release_folder(library, folder) else cases
                    seen = folder
        except (RedisError, OSError) as error:
            # Because Redis may be away, or the folder may be replaced just now, the next look finds the changes.
            _log.warning("watching_again", error=type(error).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)


async def _release_folder(library: Library, read: _Folder) -> bool:
    """Release the folder if it has no error; False if the gate refuses. Later changes get their own look."""
    checked = await library.check()
    if checked.prompts is None:
        await library.report(checked.diagnostics)
        return True
    try:
        await library.release(checked, how="watch")
    except PromptsWrong as error:
        if await _read(library) == read:
            await library.report(error.diagnostics)
        return False
    return True


async def _read(library: Library) -> _Folder:
    return *await asyncio.to_thread(read_folder, library.folder), await library.knowledge()


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

"""Background work of a process. What fails begins again, because nobody else would start it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from bot.infra.redis import cancel_and_wait

_log = structlog.get_logger()
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0

Work = Callable[[], Awaitable[None]]


@asynccontextmanager
async def background(*works: Work, first_pause: float = _FIRST_PAUSE_SECONDS) -> AsyncIterator[None]:
    """Do all of these for as long as the context lasts, each until it returns.

    Work that raises an error is logged, and begins again after `first_pause` seconds; the pause doubles up to a minute.
    """
    tasks = [asyncio.create_task(_until_it_returns(work, first_pause)) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            await cancel_and_wait(task)


async def _until_it_returns(work: Work, pause: float) -> None:
    while True:
        try:
            await work()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # A library cancelled what it was waiting for, and not this task.
            _log.exception("background_work_failed", work=_name(work), again_in=pause)
        except Exception:  # noqa: BLE001 - nobody else would start it
            _log.exception("background_work_failed", work=_name(work), again_in=pause)
        else:
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _name(work: Work) -> str:
    return str(getattr(work, "func", work).__qualname__)

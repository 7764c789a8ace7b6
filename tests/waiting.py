"""Waits of tests: for events and not for seconds, because another machine may be slower or busy."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import CoroutineType
from typing import Any

PATIENCE = 90.0
"""Longest time that a test waits for an event, in seconds."""


@asynccontextmanager
async def at_most(seconds: float = PATIENCE) -> AsyncIterator[None]:
    """Like `asyncio.timeout`, but the TimeoutError says what every task of the loop was waiting for."""
    waiting: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            try:
                yield
            except asyncio.CancelledError:
                waiting += [f"{tasks} × {place}" for place, tasks in Counter(map(_place, asyncio.all_tasks())).items()]
                raise
    except TimeoutError as error:
        for line in waiting:
            error.add_note(line)
        raise


async def next_second() -> None:
    """Wait until the clock shows another second than now.

    Meta's times have whole seconds, so that two equal notifications of one second are the same one, delivered twice.
    """
    now = int(time.time())
    while int(time.time()) == now:
        await asyncio.sleep(1 - time.time() % 1)


def _place(task: asyncio.Task[Any]) -> str:
    return " > ".join(_frames(task.get_coro()))


def _frames(awaited: Any) -> Iterator[str]:
    """`function:line` of the coroutine and of those that it awaits, down to the future."""
    while isinstance(awaited, CoroutineType) and awaited.cr_frame is not None:
        yield f"{awaited.cr_code.co_qualname}:{awaited.cr_frame.f_lineno}"
        awaited = awaited.cr_await

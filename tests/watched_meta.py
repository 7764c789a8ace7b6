"""The simulator of Meta for tests: when a wait times out, the error says what every task was waiting for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from types import CoroutineType
from typing import Any, TypeVar

from sandbox.meta.simulator import MetaSimulator

_Found = TypeVar("_Found")


class WatchedMeta(MetaSimulator):
    async def wait_for(self, condition: Callable[[], _Found], **within: float) -> _Found:
        try:
            return await super().wait_for(condition, **within)
        except TimeoutError as error:
            error.add_note(f"not taken by the webhook: {len(self.delivery.sender.undelivered)}")
            for place, tasks in Counter(map(_place, asyncio.all_tasks())).most_common():
                error.add_note(f"{tasks} × {place}")
            raise


def _place(task: asyncio.Task[Any]) -> str:
    return " > ".join(_frames(task.get_coro()))


def _frames(awaited: Any) -> Iterator[str]:
    """`function:line` of the coroutine and of those that it awaits, down to the future."""
    while isinstance(awaited, CoroutineType) and awaited.cr_frame is not None:
        yield f"{awaited.cr_code.co_qualname}:{awaited.cr_frame.f_lineno}"
        awaited = awaited.cr_await

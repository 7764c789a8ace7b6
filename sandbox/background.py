"""Background work of the sandbox has one owner that ends it and tells of its errors."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class BackgroundTasks:
    """Tasks that run until they are done or until `stop`, which raises what went wrong in any of them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._errors: list[BaseException] = []

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run the work beside the caller."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def idle(self) -> None:
        """Return when no work is left, work that was started by work included."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        """Cancel what still runs and wait for its end; raises an ExceptionGroup of the errors met so far."""
        for task in self._running:
            task.cancel()
        await self.idle()
        if self._errors:
            errors, self._errors = self._errors, []
            raise BaseExceptionGroup("background work failed", errors)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._errors.append(error)

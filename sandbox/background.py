"""Background tasks of the sandbox: their owner ends them and raises their errors."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class BackgroundTasks:
    """Tasks that run until they are done or until `stop`, which raises their errors."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._errors: list[BaseException] = []

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run the work beside the caller."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def idle(self) -> None:
        """Return when no task is left, including tasks started by tasks."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        """Cancel running tasks and wait for their end; raises an ExceptionGroup of all errors so far."""
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

"""BullMQ's worker, mended: it asks for jobs in turn and not at once again, and ends when no job is in hand any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bullmq import Job, Worker
from redis.exceptions import RedisError

from bot.infra.redis import ended

# A full Redis and a replica refuse at once: without a pause all would be asked again at once.
_REFUSED_SECONDS = 0.3
_NEVER_MILLISECONDS = 24 * 3600 * 1000


class QueueWorker(Worker):  # type: ignore[misc] # BullMQ has no types
    """BullMQ's own asks Redis for every free place at once, a hundred times whenever one job comes.

    Its `close` forgets a job that comes in that very moment, and lets the locks of those in hand run out: `rest` first.
    """

    def __init__(self, name: str, processor: Callable[[Job, str], Awaitable[None]], options: dict[str, Any]) -> None:
        super().__init__(name, processor, options)
        self._asking = asyncio.Lock()
        self._resting = asyncio.Event()
        self._over = asyncio.Event()
        self._in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def getNextJob(self, token: str) -> Job | None:  # noqa: N802 - BullMQ's name
        async with self._asking:
            if not (self.closing or self.paused or self._resting.is_set()):
                try:
                    job = await super().getNextJob(token)
                except (RedisError, OSError):
                    await asyncio.sleep(_REFUSED_SECONDS)
                    raise
                if job is not None:
                    self._in_hand += 1
                    self._idle.clear()
                return job
        if self._resting.is_set():
            # Whoever answered "none" here would end BullMQ's loop, and with it the renewing of locks.
            await self._over.wait()
        return None

    async def waitForJob(self) -> int:  # noqa: N802 - BullMQ's name
        """Until when (ms) there is nothing to do; 0 when a job is there."""
        waiting = asyncio.ensure_future(super().waitForJob())
        resting = asyncio.ensure_future(self._resting.wait())
        try:
            await asyncio.wait({waiting, resting}, return_when=asyncio.FIRST_COMPLETED)
            return int(waiting.result()) if waiting.done() else int(time.time() * 1000) + _NEVER_MILLISECONDS
        finally:
            await ended(waiting)
            await ended(resting)

    async def processJob(self, job: Job, token: str) -> None:  # noqa: N802 - BullMQ's name
        try:
            await super().processJob(job, token)
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    async def rest(self) -> None:
        """Take no more jobs; returns, closed, when none is in hand any more."""
        self._resting.set()
        async with self._asking:
            # Whoever was asking has been answered.
            pass
        await self._idle.wait()
        await self.end(force=False)

    async def end(self, *, force: bool) -> None:
        """Close at once; with `force` the jobs in hand are cancelled."""
        self._resting.set()
        self.closing = True
        self._over.set()
        await self.close(force=force)
        timer = getattr(self, "stalledCheckTimer", None)
        if timer is not None:
            # Cancelled is not over: a look for stalled jobs would connect anew after the last connection was closed.
            timer.stop()
            await ended(timer._task)  # noqa: SLF001 - BullMQ has no other way to wait for it

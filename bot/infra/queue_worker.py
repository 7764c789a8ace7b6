"""BullMQ's worker with a loop of its own: a job that ends brings the next one in the same round trip."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from bullmq import Job, UnrecoverableError, Worker
from bullmq.custom_errors import DelayedError, WaitingChildrenError
from bullmq.timer import Timer
from redis.exceptions import RedisError

from bot.infra.background import background
from bot.infra.redis import cancel_and_wait

# A full Redis and a replica refuse at once: without a pause all would be asked again at once.
_REFUSED_SECONDS = 0.3
_NEVER_MILLISECONDS = 24 * 3600 * 1000


class QueueWorker(Worker):  # type: ignore[misc] # BullMQ has no types
    """BullMQ's own loop looks through all jobs in hand whenever one comes or ends. This one has a task for each.

    A single task asks for jobs while there is a free place. BullMQ's `close` forgets a job that comes in that very
    moment, and lets the locks of those in hand run out: `rest` first.
    """

    def __init__(self, name: str, processor: Callable[[Job, str], Awaitable[None]], options: dict[str, Any]) -> None:
        super().__init__(name, processor, options)
        self._places = asyncio.Semaphore(options["concurrency"])
        self._taken = 0
        self._asking = asyncio.Lock()
        self._resting = asyncio.Event()
        self._over = asyncio.Event()
        self._in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def connect(self) -> None:
        """Connect, and read what the server can: else BullMQ rounds every wait up to whole seconds."""
        await self.blockingRedisConnection.getRedisVersion()

    def learn_from(self, other: QueueWorker) -> None:
        """Take over what another worker has read of the same server."""
        known, ours = other.blockingRedisConnection, self.blockingRedisConnection
        ours.version, ours.capabilities = known.version, known.capabilities

    async def _ensure_client_names(self) -> None:
        """Name the connections as they are made: BullMQ would open one to name it, and may be closed meanwhile."""
        self.client.connection_pool.connection_kwargs["client_name"] = self.clientName

    async def run(self) -> None:
        """Work until `end`. Locks are renewed until then, and jobs of workers that died are looked for."""
        self.lockManager.start()
        self.stalledCheckTimer = Timer(self.opts["stalledInterval"] / 1000, self.runStalledJobsCheck, self.emit)
        self.running = True
        try:
            async with background(self._ask, first_pause=_REFUSED_SECONDS):
                await self._over.wait()
        finally:
            self.running = False
            self.stalledCheckTimer.stop()
            await self.lockManager.close()

    async def _ask(self) -> None:
        await self._ensure_client_names()
        retries = {"delay_in_ms": self.opts["runRetryDelay"], "only_emit_error": True}
        while not self._resting.is_set():
            await self.resume_event.wait()
            await self._places.acquire()
            self._taken += 1
            token = f"{self.id}:{self._taken}"
            job = None
            try:
                job = await self.retryIfFailed(lambda token=token: self.getNextJob(token), retries)
            finally:
                if job is None:
                    self._places.release()
            if job is not None:
                self._start(job)

    async def getNextJob(self, token: str) -> Job | None:  # noqa: N802 - BullMQ's name
        async with self._asking:
            if self.closing or self.paused or self._resting.is_set():
                return None
            try:
                job = await super().getNextJob(token)
            except (RedisError, OSError):
                await asyncio.sleep(_REFUSED_SECONDS)
                raise
            if job is not None:
                self._in_hand += 1
                self._idle.clear()
            return job

    async def waitForJob(self) -> int:  # noqa: N802 - BullMQ's name
        """Until when (ms) there is nothing to do; 0 when a job is there."""
        waiting = asyncio.ensure_future(super().waitForJob())
        resting = asyncio.ensure_future(self._resting.wait())
        try:
            await asyncio.wait({waiting, resting}, return_when=asyncio.FIRST_COMPLETED)
            return int(waiting.result()) if waiting.done() else int(time.time() * 1000) + _NEVER_MILLISECONDS
        finally:
            # Soon again, because it has nothing to clean up: its connection is closed with the worker.
            await cancel_and_wait(waiting, again_seconds=0.02)
            await cancel_and_wait(resting)

    def _start(self, job: Job) -> None:
        # A task for each job: what one binds to its context (logs) is not seen by the next.
        task = asyncio.create_task(self.processJob(job, job.token))
        self.processing.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Job | None]) -> None:
        """Start the job that came with the end of this one, or give its place up; also of a cancelled task."""
        self.processing.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.emit("error", error)
        following = None if task.cancelled() or error else task.result()
        if following is not None and not self.forceClosing:
            self._start(following)
            return
        self._places.release()
        self._in_hand -= 1
        if not self._in_hand:
            self._idle.set()

    async def processJob(self, job: Job, token: str) -> Job | None:  # noqa: N802 - BullMQ's name
        """Process it, and take the next one if there is one; a job that failed or waits brings none."""
        self.lockManager.track_job(job.id, token, int(time.time() * 1000))
        try:
            if job.deferredFailure:
                raise UnrecoverableError(job.deferredFailure)  # noqa: TRY301 - as the processor would
            result = await self.processor(job, token)
            following = None if self.forceClosing else await self._completed(job, result, token)
            self.emit("completed", job, result)
        except (DelayedError, WaitingChildrenError):
            return None
        except Exception as error:  # noqa: BLE001 - a job may fail in any way
            await self._failed(job, error, token)
            return None
        else:
            return following
        finally:
            self.lockManager.untrack_job(job.id)

    async def _completed(self, job: Job, result: Any, token: str) -> Job | None:
        # A resting worker takes no more jobs.
        wanted = not (self._resting.is_set() or self.closing or self.paused)
        keep = job.opts.get("removeOnComplete", False)
        moved = await self.backend.moveToCompleted(job, result, keep, token, fetch_next=wanted)
        data, number, limit_until, delay_until = moved["result"] or (None, None, None, None)
        if not data:
            # Not remembered as "drained": since this answer was written, a job may have come.
            return None
        following = cast("Job", await self.nextJobFromJobData(data, number, limit_until or 0, delay_until or 0, token))
        self.emit("active", following, "waiting")
        return following

    async def _failed(self, job: Job, error: Exception, token: str) -> None:
        try:
            if not self.forceClosing:
                await job.moveToFailed(error, token)
            self.emit("failed", job, error)
        except Exception as unsaved:  # noqa: BLE001 - its lock runs out, and it is tried again
            self.emit("error", unsaved, job)

    async def rest(self) -> None:
        """Take no more jobs; returns, closed, when none is in hand any more."""
        self._resting.set()
        async with self._asking:
            # With the lock, no request for a job is under way any more.
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
            await cancel_and_wait(timer._task)  # noqa: SLF001 - BullMQ has no other way to wait for it

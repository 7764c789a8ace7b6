"""Names and shapes of the jobs, and the only file that knows BullMQ: how they are added, worked on and counted."""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import structlog
from bullmq import Job as BullJob
from bullmq import Queue, UnrecoverableError, redis_connection
from bullmq.custom_errors import DelayedError
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from bot.infra.background import background
from bot.infra.crash_points import passing
from bot.infra.logs import without_identities
from bot.infra.queue_worker import QueueWorker
from bot.infra.redis import RedisNotReachable, connect, retrying, shielded
from bot.settings import RedisSettings

_log = structlog.get_logger()


class _Scripts(dict[str, AsyncScript]):
    """BullMQ's scripts, each read and registered at its first use: we call ten of its 35."""

    def __init__(self, client: Redis) -> None:
        super().__init__()
        self._client = client

    def __missing__(self, name: str) -> AsyncScript:
        text = _script_text(redis_connection.SCRIPT_DEFINITIONS[name])
        script = self[name] = self._client.register_script(text)
        return script


# Because BullMQ reads its scripts from the disk for each queue, also for each added job, we keep them.
_script_text = functools.cache(redis_connection.loadScript)


def _load_at_first_use(connection: redis_connection.RedisConnection) -> None:
    connection.commands = _Scripts(connection.conn)


redis_connection.RedisConnection.loadCommands = _load_at_first_use

Name = Literal["llm", "email", "webhook", "notification"]
# Jobs under way at the same time, unless the caller says otherwise. A turn mostly waits for its model.
CONCURRENCY: dict[Name, int] = {"llm": 500, "email": 100, "webhook": 100, "notification": 100}
QUEUES: tuple[Name, ...] = tuple(CONCURRENCY)


@dataclass(frozen=True, slots=True)
class Job:
    """A job taken from a queue; `key` is the same for the same job, however often it is tried or added.

    `added` is when it was added, in Unix seconds.
    """

    name: str
    data: dict[str, Any]
    key: str
    added: float = 0


Processor = Callable[[Job], Awaitable[None]]


class JobRejected(Exception):
    """A job that no retry makes good; the message is for whoever added it."""


class RetryLater(Exception):
    """The job goes on in so many seconds. It costs none of its attempts: those are for what goes wrong in here."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


# A worker that dies is noticed after this long: its job goes to another one. Not shorter, because a busy loop
# must still find the time to renew its locks.
_LOCK_MILLISECONDS = 6_000
# One more than a turn tries: the last attempt is the one that gives up and says so.
_ATTEMPTS = 6
_FIRST_WAIT_SECONDS = 0.5
_KEEP_DONE_SECONDS = 3 * 24 * 3600
_KEEP_FAILED_SECONDS = 30 * 24 * 3600
_ADD_AT_ONCE = 200
# A flood is over when it was not reported for so long. On a busy machine the server itself stands still that long.
_EBB_SECONDS = 0.1
# Shorter than the silence that ends a burst, because a turn waits for that anyway, counted from its message.
_LONGEST_HELD_SECONDS = 0.5
_SAME_SECONDS = 2.0


JobName = Literal["turn", "summary"]


@lru_cache(maxsize=8)
def _queue(redis: Redis, name: Name) -> Queue:
    # BullMQ reads 50 scripts from the disk for a queue, which takes 2 ms of the loop.
    return Queue(name, {"connection": redis})


def job(name: JobName, conversation: str, job_id: str) -> dict[str, Any]:
    """A job for a conversation; while one with this id waits or runs, it is the same job."""
    return {"name": name, "data": {"conversation": conversation}, "opts": _options(job_id)}


def _options(
    job_id: str, after: float = 0, attempts: int = _ATTEMPTS, wait_seconds: float = _FIRST_WAIT_SECONDS
) -> dict[str, Any]:
    return {
        "jobId": job_id,
        "attempts": attempts,
        "backoff": {"type": "exponential", "delay": int(wait_seconds * 1000)},
        "removeOnComplete": True,
        "removeOnFail": {"count": 1000, "age": _KEEP_FAILED_SECONDS},
        "delay": int(after * 1000),
    }


class JobScheduler:
    """Asks for jobs off the caller's path. A turn that gets lost is asked for again by the workers' sweep.

    A lone request is passed on at once. In a flood, requests are held back and added together, because a worker that
    starts on the first turns takes the processor from the storing of the other messages.
    """

    def __init__(
        self, redis: Redis, *, ebb_seconds: float = _EBB_SECONDS, longest_held_seconds: float = _LONGEST_HELD_SECONDS
    ) -> None:
        self._queue = _queue(redis, "llm")
        self._ebb_seconds = ebb_seconds
        self._longest_held_seconds = longest_held_seconds
        self._due: dict[str, dict[str, Any]] = {}
        self._just_asked: set[str] = set()
        self._forget_at = 0.0
        self._flood_until = 0.0
        self._wake = asyncio.Event()

    def turn(self, conversation: str, job_id: str) -> None:
        self._ask(job("turn", conversation, job_id))

    def summary(self, conversation: str) -> None:
        """A conversation has one such job at a time, over all workers."""
        self._ask(job("summary", conversation, f"{conversation}-summary"))

    def in_flood(self) -> None:
        """Report a flood: requests are held back until no report has come for a moment."""
        self._flood_until = time.monotonic() + self._ebb_seconds

    def _ask(self, asked: dict[str, Any]) -> None:
        name = asked["opts"]["jobId"]
        if time.monotonic() > self._forget_at:
            self._just_asked.clear()
            self._forget_at = time.monotonic() + _SAME_SECONDS
        # A burst asks for the same job with every message: once is enough.
        if name not in self._just_asked:
            self._just_asked.add(name)
            self._due[name] = asked
            self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[JobScheduler]:
        try:
            async with background(self._run):
                yield self
        finally:
            await shielded(self._add())

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await self._ebb()
            await self._add()

    async def _ebb(self) -> None:
        """Wait until the flood is over, but not for long."""
        limit = time.monotonic() + self._longest_held_seconds
        while (held := min(self._flood_until, limit) - time.monotonic()) > 0:  # noqa: ASYNC110 - for a time
            await asyncio.sleep(held)

    async def _add(self) -> None:
        self._wake.clear()
        due = list(self._due.items())
        if due:
            passing("webhook: turns asked for, no job added")
        for start in range(0, len(due), _ADD_AT_ONCE):
            some = due[start : start + _ADD_AT_ONCE]
            try:
                await self._queue.addBulk([asked for _, asked in some])
            except (RedisError, OSError) as error:
                _log.warning("jobs_not_added", count=len(due) - start, error=type(error).__name__)
                self._just_asked.clear()
                self._forget(due[start:])
                return
            # Not before they are added: a cancellation leaves them to the last call, at the end.
            self._forget(some)

    def _forget(self, added: list[tuple[str, dict[str, Any]]]) -> None:
        for name, asked in added:
            if self._due.get(name) is asked:
                del self._due[name]


async def turn_later(redis: Redis, conversation: str, job_id: str, seconds: float) -> None:
    """Ask for a turn after so many seconds."""
    await _queue(redis, "llm").add("turn", {"conversation": conversation}, _options(job_id, seconds))


async def add(  # noqa: PLR0913 - a job has these parts
    redis: Redis,
    queue: Name,
    name: str,
    data: dict[str, Any],
    job_id: str,
    *,
    attempts: int = _ATTEMPTS,
    wait_seconds: float = _FIRST_WAIT_SECONDS,
    keep: bool = True,
) -> None:
    """Add a job; one with this id that waits, runs, or was done in the last days, is the same job.

    The wait after the first failure is doubled with every further one. Without `keep` nothing stays of a job that was
    done: its processor has to know it when it comes again.
    """
    kept = {"removeOnComplete": {"age": _KEEP_DONE_SECONDS} if keep else True}
    options = _options(job_id, attempts=attempts, wait_seconds=wait_seconds) | kept
    await _queue(redis, queue).add(name, data, options)


def by_name(processors: dict[str, Processor]) -> Processor:
    """A processor for a queue whose jobs have several names."""

    async def process(task: Job) -> None:
        if task.name not in processors:
            raise JobRejected(f"there is no job {task.name!r} here; expected {' or '.join(processors)}")
        await processors[task.name](task)

    return process


@asynccontextmanager
async def working(
    processors: Mapping[Name, Processor], settings: RedisSettings, *, concurrency: int | None = None
) -> AsyncIterator[None]:
    """Work on the jobs of these queues until the context ends, which waits for the running jobs.

    Without `concurrency` each queue has its own of CONCURRENCY. Raises RedisNotReachable at once. Cancelled while it
    waits at the end, it lets the running jobs go to another worker.
    """
    workers = [
        _worker(name, process, settings, concurrency or CONCURRENCY[name]) for name, process in processors.items()
    ]
    runs: list[asyncio.Task[None]] = []
    try:
        await _reached(workers)
        runs = [asyncio.create_task(worker.run()) for worker in workers]
        yield
    finally:
        # All at once: none takes a new job while another one's are waited for.
        resting = asyncio.gather(*(worker.rest() for worker in workers))
        passing("worker: closing")
        try:
            await asyncio.shield(resting)
        except asyncio.CancelledError:
            await _given_up(workers, resting)
            raise
        finally:
            await asyncio.gather(*runs, return_exceptions=True)
            # BullMQ's timers may have connected anew after it closed.
            await asyncio.gather(*(worker.client.aclose() for worker in workers), return_exceptions=True)


async def _reached(workers: Sequence[QueueWorker]) -> None:
    for worker in workers[:1]:
        try:
            await worker.connect()
        except RedisError as error:
            raise RedisNotReachable from error
    for worker in workers[1:]:
        worker.learn_from(workers[0])


async def _given_up(workers: Sequence[QueueWorker], resting: asyncio.Future[Any]) -> None:
    """Cancel the running jobs, until the last one is over: see bot.infra.redis.cancel_and_wait."""
    while not resting.done():
        await asyncio.gather(*(worker.end(force=True) for worker in workers), return_exceptions=True)
        await asyncio.wait({resting}, timeout=1)


def _plain(data: Any) -> dict[str, Any]:
    """A job's data, without halves of emoji, which JavaScript leaves where it cuts a text, and no other system takes.

    Raises JobRejected if it is no object.
    """
    if not isinstance(data, dict):
        raise JobRejected("data: expected an object")
    try:
        written = json.dumps(data, ensure_ascii=False)
        plain = written.encode("utf-8", "replace").decode()
        return data if plain == written else dict(json.loads(plain))
    except (ValueError, RecursionError):
        raise JobRejected("data: nested too deeply") from None


def _worker(name: Name, process: Processor, settings: RedisSettings, concurrency: int) -> QueueWorker:
    # A connection of its own: the wait for a job must not time out before BullMQ's own 5 seconds.
    client = connect(settings)
    client.connection_pool.connection_kwargs["socket_timeout"] = 15
    client.connection_pool.connection_kwargs["retry"] = retrying(3)

    async def processor(taken: BullJob, token: str) -> None:
        try:
            await process(Job(str(taken.name), _plain(taken.data), _key(taken), taken.timestamp / 1000))
        except JobRejected as error:
            # Without its cause, which may quote the data.
            raise UnrecoverableError(without_identities(str(error))) from None
        except RetryLater as later:
            await taken.moveToDelayed(round((time.time() + later.seconds) * 1000), token)
            raise DelayedError from later
        except asyncio.CancelledError as error:
            # BullMQ takes a cancelled inner task for its own end and stops working for good.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise RuntimeError("a task inside the job was cancelled") from error

    options = {
        "connection": client,
        "concurrency": concurrency,
        "lockDuration": _LOCK_MILLISECONDS,
        "stalledInterval": _LOCK_MILLISECONDS // 2,
        "maxStalledCount": 5,
        "runRetryDelay": 100,
        "autorun": False,
    }
    worker = QueueWorker(name, processor, options)
    worker.on("error", lambda error, *_: _log.warning("queue_error", queue=name, error=type(error).__name__))
    worker.on("failed", lambda failed, error: _log.error("job_failed", queue=name, job=failed.id, exc_info=error))
    return worker


def _key(taken: BullJob) -> str:
    """BullMQ's own numbers begin anew when a queue is emptied; an id that somebody chose says what it is for."""
    return f"{taken.id}-{taken.timestamp}" if str(taken.id).isdigit() else str(taken.id)

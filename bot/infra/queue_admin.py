"""Administration of the jobs in BullMQ's queues: count, list, retry, drop, and erase with a person."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bullmq import Job, Queue
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.infra.logs import without_identities
from bot.infra.queues import QUEUES, Name


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that was given up, and why; `at` is its last try."""

    queue: str
    id: str
    name: str
    reason: str
    tries: int
    at: str


async def failed(redis: Redis, name: Name) -> list[FailedJob]:
    """The jobs of a queue that were given up, the newest first."""
    jobs: list[Job] = await Queue(name, {"connection": redis}).getJobs(["failed"])
    return [
        FailedJob(
            queue=name,
            id=str(job.id),
            name=str(job.name),
            reason=without_identities(str(job.failedReason)),
            tries=int(job.attemptsMade),
            at=datetime.fromtimestamp((job.finishedOn or job.timestamp) / 1000, UTC).isoformat(timespec="seconds"),
        )
        for job in jobs
        if job is not None
    ]


async def retry_failed(redis: Redis, job_id: str | None) -> int:
    """Retry one failed job by its id, or all, with all their tries; return their number."""
    return await _each_failed(redis, job_id, lambda job: job.retry("failed", {"resetAttemptsMade": True}))


async def drop_failed(redis: Redis, job_id: str | None) -> int:
    """Remove one failed job by its id, or all; return their number."""
    return await _each_failed(redis, job_id, lambda job: job.remove())


async def _each_failed(redis: Redis, job_id: str | None, act: Callable[[Job], Awaitable[Any]]) -> int:
    done = 0
    for name in QUEUES:
        jobs: list[Job] = await Queue(name, {"connection": redis}).getJobs(["failed"])
        for job in jobs:
            if job is not None and job_id in (None, str(job.id)):
                await act(job)
                done += 1
    return done


async def counts(redis: Redis, name: Name) -> dict[str, int]:
    """Number of jobs of a queue by state."""
    queue = Queue(name, {"connection": redis})
    found: dict[str, int] = await queue.getJobCounts("waiting", "active", "delayed", "completed", "failed")
    return found


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job in a queue, in any state; finished jobs stay for days, so that they aren't done again."""

    queue: Name
    id: str
    name: str
    data: Any
    job: Job = field(repr=False)

    @property
    def text(self) -> str:
        return json.dumps([self.job.id, self.data], ensure_ascii=False)

    @property
    def added(self) -> float:
        """Time at which it was added, in Unix seconds."""
        return float(self.job.timestamp) / 1000


def _any(_: StoredJob) -> bool:
    return True


async def jobs_about(
    redis: Redis, is_about: Callable[[str], bool], meant: Callable[[StoredJob], bool] = _any
) -> list[StoredJob]:
    """Jobs of all queues whose id or data, as text, are about somebody; `meant` selects among them."""
    found: list[StoredJob] = []
    for name in QUEUES:
        jobs = await Queue(name, {"connection": redis}).getJobs([])
        kept = (StoredJob(name, str(job.id), str(job.name), job.data, job) for job in jobs)
        found.extend(stored for stored in kept if is_about(stored.text) and meant(stored))
    return found


async def forget_jobs(redis: Redis, is_about: Callable[[str], bool], meant: Callable[[StoredJob], bool] = _any) -> int:
    """Remove these jobs and their entries in BullMQ's event streams; return the number of jobs.

    A job that a worker works on stays until it is done.
    """
    removed = [await _removed(job) for job in await jobs_about(redis, is_about, meant)]
    for name in QUEUES:
        events = Queue(name, {"connection": redis}).keys["events"]
        entries = [entry for entry, fields in await redis.xrange(events) if is_about(json.dumps(fields))]
        if entries:
            await redis.xdel(events, *entries)
    return sum(removed)


async def _removed(kept: StoredJob) -> bool:
    try:
        await kept.job.remove()
    except RedisError:
        raise
    except Exception:  # noqa: BLE001 - BullMQ has no other name for a job that is locked
        return False
    return True

"""A worker that watches itself: where its time goes, and how often a turn asks Redis.

It takes a sample of the running function some hundred times a second of its CPU time, and writes all to BENCH_PROFILE
at its end. A signal takes the samples, because a thread gets its turn mostly where the loop waits or packs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.__main__ import main
from bot.infra import queue_worker
from bot.infra.shared_connection import SharedPipeline, SharedRedis

_EVERY_SECONDS = 0.003
_REQUESTS = (
    (Redis, "execute_command"),
    (SharedRedis, "execute_command"),
    (Pipeline, "execute"),
    (SharedPipeline, "execute"),
)
# Set during a request, because a class that calls its parent's method makes no second one.
_inside: ContextVar[bool] = ContextVar("inside", default=False)


class Profile:
    def __init__(self) -> None:
        self.functions: Counter[str] = Counter()
        self.samples = 0
        self.trips = 0
        self.jobs = 0

    def sample(self, _signal: int, frame: FrameType | None) -> None:
        """Count the function that runs."""
        if frame is not None:
            self.samples += 1
            place = Path(frame.f_code.co_filename)
            self.functions[f"{frame.f_code.co_qualname} ({'/'.join(place.parts[-2:])})"] += 1

    def count(self) -> None:
        """Count requests to Redis that belong to a turn, and the jobs."""
        for owner, name in _REQUESTS:
            setattr(owner, name, self._counting(getattr(owner, name)))
        process = queue_worker.QueueWorker.processJob

        @wraps(process)
        async def counted(worker: Any, *arguments: Any) -> Any:
            self.jobs += 1
            # Finishing a job and asking for the next one are one request, outside of the job's context.
            self.trips += 1
            return await process(worker, *arguments)

        setattr(queue_worker.QueueWorker, "processJob", counted)  # noqa: B010 - mypy knows that it is a method

    def _counting(self, call: Any) -> Any:
        @wraps(call)
        async def counted(client: Any, *arguments: Any, **options: Any) -> Any:
            asks = getattr(client, "command_stack", True)
            if asks and not _inside.get() and structlog.contextvars.get_contextvars().get("conversation"):
                self.trips += 1
            outer = _inside.set(True)
            try:
                return await call(client, *arguments, **options)
            finally:
                _inside.reset(outer)

        return counted


if __name__ == "__main__":
    profile = Profile()
    profile.count()
    signal.signal(signal.SIGPROF, profile.sample)
    signal.setitimer(signal.ITIMER_PROF, _EVERY_SECONDS, _EVERY_SECONDS)
    sys.argv = ["recado", "worker"]
    try:
        main()
    finally:
        told = {
            "functions": profile.functions,
            "samples": profile.samples,
            "trips": profile.trips,
            "jobs": profile.jobs,
        }
        Path(os.environ["BENCH_PROFILE"]).write_text(json.dumps(told))

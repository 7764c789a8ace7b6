"""A worker that watches itself: where its time goes, and how often a turn asks Redis.

It takes a sample of the running function some hundred times a second, and writes all to BENCH_PROFILE at its end.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from functools import wraps
from pathlib import Path
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.__main__ import main
from bot.infra import queue_worker

_EVERY_SECONDS = 0.003
# In these the loop waits for something to do.
_IDLE = ("selectors.py", "base_events.py", "runners.py")


class Profile:
    def __init__(self) -> None:
        self.functions: Counter[str] = Counter()
        self.samples = 0
        self.trips = 0
        self.jobs = 0

    def sample(self, thread: int) -> None:
        """Take samples of a thread for ever: each function of ours and of libraries once a sample."""
        while True:
            time.sleep(_EVERY_SECONDS)
            frame = sys._current_frames().get(thread)  # noqa: SLF001 - there is no public way to another thread's frame
            if frame is None or Path(frame.f_code.co_filename).name in _IDLE:
                continue
            self.samples += 1
            place = Path(frame.f_code.co_filename)
            self.functions[f"{frame.f_code.co_qualname} ({'/'.join(place.parts[-2:])})"] += 1

    def count(self) -> None:
        """Count requests to Redis that belong to a turn, and the jobs."""
        for owner, name in ((Redis, "execute_command"), (Pipeline, "execute")):
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
            if asks and structlog.contextvars.get_contextvars().get("conversation"):
                self.trips += 1
            return await call(client, *arguments, **options)

        return counted


if __name__ == "__main__":
    profile = Profile()
    profile.count()
    threading.Thread(target=profile.sample, args=(threading.get_ident(),), daemon=True).start()
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

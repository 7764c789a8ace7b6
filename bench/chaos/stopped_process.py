"""A real worker that stops itself with SIGSTOP at a named crash point, and continues on request."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NoReturn

import psutil

from bench.prepared_process import begin_with, prepared, write_to
from bot.infra import logs
from bot.infra.crash_points import Point, listen
from bot.infra.queues import QUEUES
from bot.settings import Settings
from bot.worker import running


@dataclass(slots=True)
class StoppedProcess:
    """The process; it works until it is killed."""

    process: ForkServerProcess
    log: Path

    @classmethod
    def start(cls, log: Path, point: Point, lease_seconds: float) -> StoppedProcess:
        """Start a worker with this environment's settings; it stops at its first passing of the point."""
        arguments = (dict(os.environ), str(Path.cwd()), str(log), point, lease_seconds)
        process = prepared(_run, *arguments, daemon=True)
        process.start()
        return cls(process, log)

    def has_logged(self, event: str) -> bool:
        """Whether its log holds this event."""
        return self.log.exists() and f'"{event}"' in self.log.read_text()

    @property
    def stopped(self) -> bool:
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def resume(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self.process.join()

    @property
    def _pid(self) -> int:
        if self.process.pid is None:
            raise RuntimeError("it was not started")
        return self.process.pid


def _run(environment: dict[str, str], folder: str, log: str, point: Point, lease_seconds: float) -> None:
    begin_with(environment, folder)
    write_to(log, 2)
    logs.configure("info", "json")
    left = 1

    def hook(here: Point) -> None:
        nonlocal left
        if here == point and left:
            left = 0
            os.kill(os.getpid(), signal.SIGSTOP)

    listen(hook)
    asyncio.run(_work(lease_seconds))


async def _work(lease_seconds: float) -> NoReturn:
    async with running(Settings(), QUEUES, 10, lease_seconds=lease_seconds, history=False):
        while True:
            await asyncio.sleep(60)

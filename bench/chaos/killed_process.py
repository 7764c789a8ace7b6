"""A real process of Recado that kills itself with SIGKILL at a named crash point."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bench.prepared_process import begin_with, prepared, write_to
from bot.infra.crash_points import Point, listen
from bot.turns import context

_TRIES = 50


@dataclass(slots=True)
class KilledProcess:
    """A process, and the crash point and passing of its death (None: it lives). `told_to_stop`: by SIGTERM."""

    process: ForkServerProcess
    log: Path
    point: Point | None
    told_to_stop: bool = False

    @classmethod
    def start(
        cls, command: list[str], environment: dict[str, str], log: Path, point: Point | None = None, passing: int = 1
    ) -> KilledProcess:
        """Start `recado` with this command and, beside this process's variables, these."""
        # Daemons may have no child processes, but a worker decodes photos in one.
        process = prepared(_run, command, os.environ | environment, str(Path.cwd()), str(log), point, passing)
        process.start()
        return cls(process, log, point)

    @property
    def dead(self) -> bool:
        return self.process.exitcode is not None

    @property
    def died_there(self) -> bool:
        """Whether it died by its own SIGKILL."""
        return self.process.exitcode == -signal.SIGKILL

    @property
    def is_ready(self) -> bool:
        return self.log.exists() and "_ready" in self.log.read_text()

    def tell_to_stop(self) -> None:
        self.told_to_stop = True
        if self.process.pid is not None and not self.dead:
            os.kill(self.process.pid, signal.SIGTERM)

    async def ended(self, seconds: float = 40) -> int | None:
        """Its exit code, once it has ended."""
        async with asyncio.timeout(seconds):
            while not self.dead:
                await asyncio.sleep(0.02)
        return self.process.exitcode

    async def ready(self) -> None:
        """Return when its log says that it is ready; raises with the log when it ends before."""
        async with asyncio.timeout(30):
            while not self.is_ready:
                if self.dead:
                    raise RuntimeError(f"a process ended before it was ready: {self.log.read_text()}")
                await asyncio.sleep(0.02)


def _run(  # noqa: PLR0913, PLR0917 - all that the process has to know
    command: list[str], environment: dict[str, str], folder: str, log: str, point: Point | None, passing: int
) -> None:
    begin_with(environment, folder)
    write_to(log, 1, 2)
    left = passing

    def hook(here: Point) -> None:
        nonlocal left
        left -= here == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if point is not None:
        listen(hook)
    # A slow machine kills a turn more often than it may be tried.
    context.TRIES = _TRIES
    sys.argv = ["recado", *command]
    from bot.__main__ import main  # noqa: PLC0415 - reads the environment that was set above

    main()

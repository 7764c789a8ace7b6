"""A real process of Recado that reports its event loop's longest stall, with its memory sampled all the time."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

_context = multiprocessing.get_context("spawn")
_BEAT_SECONDS = 0.01
_LOOK_SECONDS = 0.02
_MEGABYTE = 1024 * 1024


@dataclass
class PeakMemory:
    """In megabytes: the process alone, with its child processes, and the child that reads photos."""

    alone: float = 0
    together: float = 0
    ocr: float = 0


@dataclass
class MonitoredProcess:
    """`longest_stall` is the longest time, in seconds, without the event loop, since its reset to 0."""

    process: Any
    longest_stall: Any
    log: Path
    peaks: PeakMemory = field(default_factory=PeakMemory)
    _ocr: dict[int, bool] = field(default_factory=dict)

    @classmethod
    async def start(cls, command: list[str], environment: dict[str, str], log: Path) -> MonitoredProcess:
        held = _context.Value("d", 0.0)
        process = _context.Process(target=_run, args=(command, environment, str(log), held))
        process.start()
        self = cls(process, held, log)
        async with asyncio.timeout(60):
            while not self.ready:
                if process.exitcode is not None:
                    raise RuntimeError(f"{command} ended before it was ready: see {log}")
                await asyncio.sleep(0.05)
        threading.Thread(target=self._look, daemon=True).start()
        return self

    @property
    def ready(self) -> bool:
        return self.log.exists() and "_ready" in self.log.read_text()

    def reset(self) -> None:
        self.peaks = PeakMemory()
        self.longest_stall.value = 0.0

    def stop(self) -> None:
        self.process.terminate()
        self.process.join(30)
        if self.process.exitcode is None:
            self.process.kill()

    def _look(self) -> None:
        me = psutil.Process(self.process.pid)
        while self.process.exitcode is None:
            with suppress(psutil.Error):
                alone = me.memory_info().rss
                ocr = others = 0
                for child in me.children(recursive=True):
                    with suppress(psutil.Error):
                        size = child.memory_info().rss
                        ocr, others = (ocr + size, others) if self._is_ocr(child, size) else (ocr, others + size)
                peaks = self.peaks
                peaks.alone = max(peaks.alone, alone / _MEGABYTE)
                peaks.together = max(peaks.together, (alone + others) / _MEGABYTE)
                peaks.ocr = max(peaks.ocr, ocr / _MEGABYTE)
            time.sleep(_LOOK_SECONDS)

    def _is_ocr(self, child: psutil.Process, size: int) -> bool:
        """Whether this process reads photos: only that one has the engine's library in its memory."""
        # Checked repeatedly, because the library is loaded after the process has started.
        if not self._ocr.get(child.pid) and size > 45 * _MEGABYTE:
            self._ocr[child.pid] = any("onnxruntime" in memory_map.path for memory_map in child.memory_maps())
        return self._ocr.get(child.pid, False)


def _run(command: list[str], environment: dict[str, str], log: str, held: Any) -> None:
    os.environ.update(environment)
    with open(log, "w") as file:  # noqa: PTH123 - a descriptor to put in the place of standard error
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    run = asyncio.Runner.run

    def with_heartbeat(self: asyncio.Runner, main: Any, **options: Any) -> Any:
        async def both() -> Any:
            beat = asyncio.ensure_future(_beat(held))
            try:
                return await main
            finally:
                beat.cancel()

        return run(self, both(), **options)

    asyncio.Runner.run = with_heartbeat  # type: ignore[assignment,method-assign] # the loop needs the heartbeat from its start
    sys.argv = ["recado", *command]
    from bot.__main__ import main  # noqa: PLC0415 - reads the environment that was set above

    main()


async def _beat(held: Any) -> None:
    last = time.monotonic()
    while True:
        await asyncio.sleep(_BEAT_SECONDS)
        now = time.monotonic()
        held.value = max(held.value, now - last - _BEAT_SECONDS)
        last = now

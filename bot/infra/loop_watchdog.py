"""Logs callbacks that block the event loop, because every conversation of the process waits meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType

import structlog

from bot.infra.metrics import LOOP_BLOCKED, LOOP_BLOCKED_SECONDS

_log = structlog.get_logger()

LONGEST_SECONDS = 0.25
_BEAT_SECONDS = 0.05
# A callback of this length is logged before its end, which may never come.
_ENDLESS_SECONDS = 5.0
# The same place is counted each time, and logged once in this interval.
_QUIET_SECONDS = 10.0
_MOST_FRAMES = 40
# Three numbers of at most twenty digits each.
_SCHEDSTAT_BYTES = 80
# Functions in which the loop is idle.
_IDLE = ("/selectors.py", "/asyncio/base_events.py", "/asyncio/runners.py")
_ROOTS = (
    "/site-packages/",
    f"/python{sys.version_info.major}.{sys.version_info.minor}/",
    f"{Path(__file__).parents[2]}/",
)


@asynccontextmanager
async def loop_watched() -> AsyncIterator[None]:
    """Watch the running loop until the context ends; log callbacks of more than a quarter of a second."""
    watchdog = _Watchdog(asyncio.get_running_loop())
    watchdog.start()
    try:
        yield
    finally:
        await asyncio.to_thread(watchdog.stop)


class _Watchdog:
    """The loop beats, a thread listens: where no beat comes, it looks at the stack of the loop's thread.

    Time is excused in which the loop could not run: the machine was busy with others, or all of the process stood.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ident, self._native = threading.get_ident(), threading.get_native_id()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="watchdog", daemon=True)
        self._beaten = self._heard = self._ticked = time.monotonic()
        self._longest = self._excused = 0.0
        self._schedstat = _open_schedstat(self._native)
        self._ran, self._queued = self._accounts()
        self._ran_before = self._ran
        self._stack: list[str] = []
        self._told_endless = False
        self._logged: dict[str, float] = {}

    def start(self) -> None:
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        if self._schedstat is not None:
            os.close(self._schedstat)

    def _beat(self) -> None:
        """Run by the loop."""
        now = time.monotonic()
        self._longest = max(self._longest, now - self._beaten - _BEAT_SECONDS)
        self._beaten = now
        if not self._stopping.is_set():
            self._loop.call_later(_BEAT_SECONDS, self._beat)

    def _listen(self) -> None:
        """Run by the thread."""
        while not self._stopping.wait(_BEAT_SECONDS):
            now = time.monotonic()
            self._excuse(now)
            if self._beaten != self._heard:
                self._over()
            elif (held := now - self._beaten - _BEAT_SECONDS - self._excused) > LONGEST_SECONDS:
                self._under_way(held)

    def _excuse(self, now: float) -> None:
        ran, queued = self._accounts()
        late = now - self._ticked - _BEAT_SECONDS
        # If this thread didn't run either, the whole process stood, unless the loop's thread held the interpreter.
        stood = late - (ran - self._ran) if late > _BEAT_SECONDS else 0.0
        self._excused += max(stood, queued - self._queued)
        self._ticked, self._ran, self._queued = now, ran, queued

    def _under_way(self, held: float) -> None:
        self._stack = self._stack or _stack(sys._current_frames().get(self._ident))  # noqa: SLF001 - another's stack
        if held > _ENDLESS_SECONDS and self._stack and not self._told_endless:
            self._told_endless = True
            _log.error("loop_blocked", milliseconds=round(held * 1000), stack=self._stack, ended=False)

    def _over(self) -> None:
        """Log the callback that blocked the loop, now that it goes on."""
        held, self._longest = self._longest - self._excused, 0.0
        busy = self._ran - self._ran_before > held / 2
        if held > LONGEST_SECONDS and (self._stack or busy):
            LOOP_BLOCKED.inc()
            LOOP_BLOCKED_SECONDS.inc(held)
            place = self._stack[0] if self._stack else ""
            if self._ticked - self._logged.get(place, -_QUIET_SECONDS) >= _QUIET_SECONDS:
                self._logged = {place: self._ticked}
                _log.warning("loop_blocked", milliseconds=round(held * 1000), stack=self._stack, ended=True)
        self._heard, self._excused, self._ran_before = self._beaten, 0.0, self._ran
        self._stack, self._told_endless = [], False

    def _accounts(self) -> tuple[float, float]:
        """Seconds that the loop's thread ran, and seconds that it waited for a processor (on Linux only)."""
        if self._schedstat is None:
            return time.process_time(), 0.0
        ran, queued, _ = os.pread(self._schedstat, _SCHEDSTAT_BYTES, 0).split()
        return int(ran) / 1e9, int(queued) / 1e9


def _open_schedstat(thread: int) -> int | None:
    """The kernel's account of a thread, kept open because it is read twenty times a second; None if it has none."""
    try:
        return os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _stack(frame: FrameType | None) -> list[str]:
    """Frames of the loop's thread, innermost first, by files and functions alone; none while the loop waits."""
    if frame is None or frame.f_code.co_filename.endswith(_IDLE):
        return []
    frames: list[str] = []
    while frame is not None and len(frames) < _MOST_FRAMES and not frame.f_code.co_filename.endswith(_IDLE):
        frames.append(f"{_short(frame.f_code.co_filename)}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return frames


def _short(path: str) -> str:
    return next((path.rpartition(root)[2] for root in _ROOTS if root in path), path)

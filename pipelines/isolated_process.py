"""Runs libraries that may hang, crash or keep memory in a process that is killed when its time is up."""

import asyncio
import math
import multiprocessing
import os
import resource
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, TypeVar

from pipelines.byte_budget import keep_no_freed_memory
from pipelines.errors import FileProblem, FileRefused

T = TypeVar("T")

# By the clock, work may last this multiple of its processor time, because the machine may be busy.
_TIMES_THE_CLOCK = 4


class IsolatedProcess:
    """A process that starts at first use, is replaced when it was killed, and does one task at a time.

    `memory` is the limit in bytes, because a few kilobytes may unpack to more than the machine has. After so many
    `tasks` the process is replaced, because libraries leak memory.
    """

    def __init__(self, *, memory: int, tasks: int = 0) -> None:
        self._pool: Any = None
        self._memory = memory
        self._tasks = tasks

    async def run(self, work: Callable[..., T], *arguments: object, seconds: float) -> T:
        """Do `work`, a function of a module, within `seconds` of processor time, and four times that by the clock.

        Both count from the start of the work, so a busy machine makes no file unreadable. Raises
        FileRefused(TOO_SLOW), FileRefused(DAMAGED) when the process dies of it, FileRefused(BOMB) when it takes
        too much memory, and what `work` raises.
        """
        from pebble import ProcessExpired  # noqa: PLC0415 -- only workers need it

        self._pool = self._pool or _started(self._memory, self._tasks)
        limit = seconds * _TIMES_THE_CLOCK
        future = self._pool.schedule(_timed, args=(seconds, work, *arguments), timeout=limit)
        try:
            return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise FileRefused(FileProblem.TOO_SLOW, f"not read within {limit:g} s") from error
        except ProcessExpired as error:
            if error.exitcode in (signal.SIGXCPU, -signal.SIGXCPU):
                raise FileRefused(FileProblem.TOO_SLOW, f"took over {seconds:g} s of the processor") from error
            raise FileRefused(FileProblem.DAMAGED, "the process that read it died") from error
        except MemoryError as error:
            raise FileRefused(FileProblem.BOMB, "too much memory to read it") from error

    async def close(self) -> None:
        """End the process, also during work."""
        if self._pool:
            self._pool.stop()
            await asyncio.to_thread(self._pool.join)
            self._pool = None


def _timed(seconds: float, work: Callable[..., T], *arguments: object) -> T:
    """Run in the process; the system ends work that takes more of the processor, with SIGXCPU."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # The system counts whole seconds of all that this process has done so far.
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), hard))
    try:
        return work(*arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


@contextmanager
def limited(memory: int) -> Iterator[None]:
    """Run in the process: limit its memory to its current size and this many bytes.

    Because only Linux reports the current size, elsewhere the limit of the process remains.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        sizes = Path("/proc/self/status").read_text(encoding="ascii").partition("VmData:")[2].split()
        resource.setrlimit(resource.RLIMIT_DATA, (min(int(sizes[0]) * 1024 + memory, hard), hard))
    except (OSError, IndexError, ValueError):
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _started(memory: int, tasks: int) -> Any:
    from pebble import ProcessPool  # noqa: PLC0415 -- only workers need it

    # Because a fork copies threads and event loops in an unknown state, we spawn.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPool(max_workers=1, max_tasks=tasks, context=spawn, initializer=_prepare, initargs=[memory])
    # Because an interpreter waits for its processes at its end, those that nobody closed are ended.
    Finalize(None, _end, args=[pool], exitpriority=1)
    return pool


def _end(pool: Any) -> None:
    pool.stop()
    # Because the pool's threads may have ended already, we kill what is left.
    for process in multiprocessing.active_children():
        process.kill()


def _prepare(memory: int) -> None:
    """End at once on SIGTERM, and with the parent, because hanging work would outlive a killed parent."""
    # Because Python's handler waits for the library to return, and pebble three seconds for the handler, we reset it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Because macOS may refuse to set the limit, only the time limits there.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    keep_no_freed_memory()
    # Because a stranger's file is private, no core dump goes to the disk and no output to our log.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    parent = multiprocessing.parent_process()
    if parent:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)

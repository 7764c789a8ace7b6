"""A process of its own for libraries that may hang, crash or keep memory: it is killed when its time is up."""

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

# By the clock, work may last so many times its processor time: a busy machine needs that, and what sleeps is ended.
_TIMES_THE_CLOCK = 4


class IsolatedProcess:
    """One process, started at first use and replaced when it had to be killed; works on one thing at a time.

    `memory` is the most that it may take, in bytes: a few kilobytes may unpack to more than the machine has.
    After so many `tasks` it is replaced: what a library leaks is not kept for ever.
    """

    def __init__(self, *, memory: int, tasks: int = 0) -> None:
        self._pool: Any = None
        self._memory = memory
        self._tasks = tasks

    async def run(self, work: Callable[..., T], *arguments: object, seconds: float) -> T:
        """Do `work`, a function of a module, within `seconds` of processor time, and four times that by the clock.

        Both count from when its turn comes, so that a busy machine makes nobody's file unreadable. Raises
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
        """End the process, whatever it is doing."""
        if self._pool:
            self._pool.stop()
            await asyncio.to_thread(self._pool.join)
            self._pool = None


def _timed(seconds: float, work: Callable[..., T], *arguments: object) -> T:
    """In the process: work that takes more of the processor is ended by the system, with SIGXCPU."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # The system counts whole seconds of all that this process has done so far.
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), hard))
    try:
        return work(*arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


@contextmanager
def limited(memory: int) -> Iterator[None]:
    """In the process: let what is done take so many bytes more than it has by now, whatever a header promised.

    Linux alone tells how many those are; elsewhere the limit of the process remains.
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

    # Not forked: threads and event loops of the parent would be copied in an unknown state.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPool(max_workers=1, max_tasks=tasks, context=spawn, initializer=_prepare, initargs=[memory])
    # An interpreter that ends waits for its processes: those that nobody closed would keep it for ever.
    Finalize(None, _end, args=[pool], exitpriority=1)
    return pool


def _end(pool: Any) -> None:
    pool.stop()
    # The pool's threads may be past stopping anybody by now.
    for process in multiprocessing.active_children():
        process.kill()


def _prepare(memory: int) -> None:
    """End at once when told to, and with the parent: work that hangs would outlive one that was killed."""
    # Python's own handler waits for the library to come back, and pebble three seconds for the handler.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # macOS knows the limit and may refuse to set it; there the time is the only bound.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    keep_no_freed_memory()
    # No file of a stranger leaves its memory on the disk, nor its own words in our log.
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

"""Limits the memory of media in one process: bytes are reserved before they are read or decoded."""

import asyncio
import ctypes
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self
from weakref import WeakKeyDictionary

MEMORY_FOR_FILES = 40 * 1024 * 1024
"""Files as they came, from their download until they are understood."""

MEMORY_FOR_DECODING = 184 * 1024 * 1024
"""Pictures, sound and pages while they are decoded, in the processes that decode them."""

MEMORY_FOR_UPLOADS = 32 * 1024 * 1024
"""Clips of sound on their way to be transcribed."""

# M_MMAP_THRESHOLD of glibc (malloc.h): freed blocks of this size go back to the system at once.
_M_MMAP_THRESHOLD = -3
_OWN_BLOCK = 512 * 1024
# A request for at most a quarter of the budget may overtake a large one that waits.
_SMALL_PART = 4


def keep_no_freed_memory() -> None:
    """Make this process return freed memory of large files to the system, because the budgets don't count it."""
    # Because glibc raises the threshold to the largest freed block, we fix it. Other C libraries have no such call.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _OWN_BLOCK)


class ByteBudget:
    """A semaphore that counts bytes, first come, first served; small requests overtake a large one that waits."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.free = capacity
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def reserved(self, size: int) -> AsyncIterator[None]:
        """Hold `size` bytes, at most the capacity. The caller's own deadline ends the wait."""
        size = min(size, self.capacity)
        await self.take(size)
        try:
            yield
        finally:
            self.give_back(size)

    async def take(self, size: int) -> None:
        """Wait for the bytes; `size` is at most the capacity, and is given back with `give_back`."""
        if not self._waiting and size <= self.free:
            self.free -= size
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, waiter))
        self._serve()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._serve()
            else:
                # Because the bytes were granted while the waiter was cancelled, they go back.
                self.give_back(size)
            raise

    def give_back(self, size: int) -> None:
        self.free += size
        self._serve()

    def _serve(self) -> None:
        left: list[tuple[int, asyncio.Future[None]]] = []
        for size, waiter in self._waiting:
            if waiter.done():
                continue
            if size <= self.free and (not left or size * _SMALL_PART <= self.capacity):
                self.free -= size
                waiter.set_result(None)
            else:
                left.append((size, waiter))
        self._waiting = left


class ByteReservation:
    """Reservation of one file: first the size that its sender states, then that of its headers."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.size = 0

    async def grow(self, size: int) -> None:
        """Grow the reservation; it is returned before the wait, because two files that hold parts would deadlock."""
        size = min(size, self._budget.capacity)
        if size > self.size:
            self.release()
            await self._budget.take(size)
            self.size = size

    def release(self) -> None:
        self._budget.give_back(self.size)
        self.size = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()


def _of_the_loop(capacity: int) -> Callable[[], ByteBudget]:
    """Make a budget for each event loop: our processes have one loop, a test run has many in turn."""
    budgets: WeakKeyDictionary[asyncio.AbstractEventLoop, ByteBudget] = WeakKeyDictionary()

    def of_the_loop() -> ByteBudget:
        return budgets.setdefault(asyncio.get_running_loop(), ByteBudget(capacity))

    return of_the_loop


for_files = _of_the_loop(MEMORY_FOR_FILES)
for_decoding = _of_the_loop(MEMORY_FOR_DECODING)
for_uploads = _of_the_loop(MEMORY_FOR_UPLOADS)

"""Events for many listeners (pages, tests): each sees every event, and a slow listener delays nobody."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

Event = dict[str, Any]
_LONGEST_QUEUE = 1000


class Broadcast:
    """Events for any number of listeners; a listener that stops reading is dropped and may listen again."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._closed = False

    def send(self, event: Event) -> None:
        """Give the event to all current listeners."""
        for queue in list(self._queues):
            # The last place is reserved for the end mark, so that a slow listener learns that it was dropped.
            if queue.qsize() >= _LONGEST_QUEUE - 1:
                self._end(queue)
            else:
                queue.put_nowait(event)

    def listen(self) -> AsyncGenerator[Event]:
        """Events from this moment on (not from the first read on), until the broadcast closes."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_LONGEST_QUEUE)
        self._queues.add(queue)
        if self._closed:
            self._end(queue)
        return self._read(queue)

    def close(self) -> None:
        """End the streams of all listeners, also of later ones."""
        self._closed = True
        for queue in list(self._queues):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[Event | None]) -> None:
        self._queues.discard(queue)
        queue.put_nowait(None)

    async def _read(self, queue: asyncio.Queue[Event | None]) -> AsyncGenerator[Event]:
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)

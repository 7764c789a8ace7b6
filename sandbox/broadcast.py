"""Whoever watches the sandbox (a page, a test) sees every event, and none can slow the others down."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

Event = dict[str, Any]
_LONGEST_QUEUE = 1000


class Broadcast:
    """Events for any number of listeners; one that stops reading is let go and may come again."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._closed = False

    def send(self, event: Event) -> None:
        """Give the event to all who listen now."""
        for queue in list(self._queues):
            # The last place is kept for the end mark, so that a slow listener learns that it was let go.
            if queue.qsize() >= _LONGEST_QUEUE - 1:
                self._end(queue)
            else:
                queue.put_nowait(event)

    def listen(self) -> AsyncGenerator[Event]:
        """Events from this moment on (not from the first reading on), until the broadcast closes."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_LONGEST_QUEUE)
        self._queues.add(queue)
        if self._closed:
            self._end(queue)
        return self._read(queue)

    def close(self) -> None:
        """End every listener's stream, also of those who come later."""
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

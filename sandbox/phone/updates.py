"""Notices that a list of the page has changed, so that the page fetches the list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sandbox.broadcast import Broadcast, Event


class UpdateNotifier:
    """Events `{type: "news", of}`; several changes of a list at once give one event. Lives in one event loop."""

    def __init__(self) -> None:
        self._broadcast = Broadcast()
        self._due: set[str] = set()

    def listen(self) -> AsyncIterator[Event]:
        return self._broadcast.listen()

    def notify(self, of: str) -> None:
        if not self._due:
            asyncio.get_running_loop().call_soon(self._send)
        self._due.add(of)

    def _send(self) -> None:
        due, self._due = self._due, set()
        for of in sorted(due):
            self._broadcast.send({"type": "news", "of": of})

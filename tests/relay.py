"""A TCP relay in front of a server, for tests that break its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Counts the pieces that come for the server, and breaks connections or turns new ones away when told."""

    target: int
    port: int = 0
    pieces: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    away: bool = False
    turned_away: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._came, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"redis://127.0.0.1:{self.port}/0"
        finally:
            server.close()
            self.slam()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def slam(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            self.turned_away += 1
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers += [writer, back]
        for carrying in (self._carry(reader, back, keep=True), self._carry(there, writer, keep=False)):
            task = asyncio.create_task(carrying)
            self.tasks.add(task)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, keep: bool) -> None:
        try:
            while piece := await source.read(1 << 20):
                if keep:
                    self.pieces.append(piece)
                target.write(piece)
        except OSError:
            pass
        finally:
            target.transport.abort()

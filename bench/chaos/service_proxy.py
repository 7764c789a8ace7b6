"""A TCP proxy before an outside service that can refuse connections, as if no server ran."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

_HOST = "127.0.0.1"
_READ_BYTES = 65536


class ServiceProxy:
    """Forwards bytes to a server at `port` of this machine; `address` stays the same, open or blocked."""

    def __init__(self, port: int) -> None:
        self._beyond = port
        # Bound but never listening, so that nobody else gets the port while the proxy is blocked.
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._holder.bind((_HOST, 0))
        self.address = f"{_HOST}:{self._holder.getsockname()[1]}"
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        if not self.is_open:
            port = self._holder.getsockname()[1]
            self._server = await asyncio.start_server(self._enter, _HOST, port, reuse_port=True)

    async def block(self) -> None:
        """Refuse new connections, and break those under way."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def close(self) -> None:
        await self.block()
        self._holder.close()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._pass(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beyond: asyncio.StreamWriter | None = None
        try:
            answers, beyond = await asyncio.open_connection(_HOST, self._beyond)
            ways = [asyncio.ensure_future(_copy(reader, beyond)), asyncio.ensure_future(_copy(answers, writer))]
            try:
                # If one side closes, the other must learn it immediately, so that we do not wait for both.
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            for side in filter(None, (writer, beyond)):
                side.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while heard := await reader.read(_READ_BYTES):
            writer.write(heard)
            await writer.drain()

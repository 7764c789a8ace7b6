"""Raw connections: a test writes their bytes itself, for partial or malformed requests and slow readers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from tests.waiting import at_most


@dataclass
class Wire:
    """One connection to a server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, url: str, *, buffer: int = 0) -> Self:
        """Connect; `buffer` limits the receive buffer (bytes)."""
        host, port = url.removeprefix("http://").split(":")
        plain = socket.socket()
        if buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
        return cls(*await asyncio.open_connection(sock=plain))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    def send(self, method: str, path: str, *headers: str, body: bytes = b"", host: str = "x") -> None:
        head = "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""))
        self.writer.write(head.encode("latin-1") + body)

    def drip(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and body of the next answer."""
        async with at_most():
            status = int((await self.reader.readline()).split()[1])
            lines = [line async for line in self._lines()]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            return status, headers, await self.reader.readexactly(int(headers.get("content-length", 0)))

    async def ended(self) -> bool:
        """Whether the server closes the connection without further bytes."""
        async with at_most():
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True

    async def _lines(self) -> AsyncIterator[str]:
        while line := (await self.reader.readline()).decode("latin-1").rstrip("\r\n"):
            yield line


async def asked(
    url: str, method: str, path: str, *headers: str, body: bytes = b"", host: str = "x"
) -> tuple[int, dict[str, str], bytes]:
    """Send a request on a connection of its own."""
    async with await Wire.to(url) as wire:
        wire.send(method, path, *headers, body=body, host=host)
        return await wire.answer()

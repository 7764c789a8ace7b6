"""A TCP proxy before Redis: it can switch servers, refuse, or break just before an answer is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_CHUNK = 65536


@dataclass
class RedisProxy:
    """Connections lead to the port `target` (None: refused), and keep their first server.

    `cuts` is called with each request: on True the server performs the request, but its answer is lost, and the
    connection is closed.
    """

    target: int | None
    cuts: Callable[[bytes], bool] | None = None
    port: int = 0
    cut: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.target is None:
            writer.close()
            return
        try:
            inner, outer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        ends = {writer, outer}
        self._open |= ends
        doomed = False

        async def ask() -> None:
            nonlocal doomed
            while data := await reader.read(_CHUNK):
                doomed = doomed or (self.cuts is not None and self.cuts(data))
                outer.write(data)
                await outer.drain()

        async def tell() -> None:
            while (data := await inner.read(_CHUNK)) and not doomed:
                writer.write(data)
                await writer.drain()
            self.cut += doomed

        ways = [asyncio.ensure_future(_quietly(ask())), asyncio.ensure_future(_quietly(tell()))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in ends:
            end.close()
        self._open -= ends

    def close(self) -> None:
        for end in tuple(self._open):
            end.close()


async def _quietly(way: object) -> None:
    with suppress(OSError):
        await way  # type: ignore[misc] # one of the two above


@asynccontextmanager
async def proxy_to(target: int | None) -> AsyncIterator[RedisProxy]:
    """A proxy on a port of its own until the context ends."""
    proxy = RedisProxy(target)
    server = await asyncio.start_server(proxy._pass, "127.0.0.1", 0)  # noqa: SLF001 - the proxy's own handler
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.close()

"""Connections of the web server: how many there are, and how long each may take over a request or an answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, cast

import structlog
from aiohttp import web

from bot.infra.background import background
from bot.infra.open_files import file_limit
from bot.web.refusals import count_refusal

_log = structlog.get_logger()

_MOST_CONNECTIONS = 2000
# Open files that stay free for Redis, logs and child processes.
_OTHER_FILES = 128
_ROOM_FOR_FILES = 16
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
_SERVER_ERROR = 500


def most_connections() -> int:
    """Limit of connections; each may need a second file, for its own connection to Redis."""
    files = file_limit()
    return min(_MOST_CONNECTIONS, max(files // 4, (files - _OTHER_FILES) // 2))


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds and counts; `idle_seconds` is longer than the minute that proxies keep an idle connection."""

    connections: int | None = None
    header_seconds: float = 10
    idle_seconds: float = 75
    # A client that reads nothing of its answer for this long is gone.
    unread_seconds: float = 30
    # Bytes that come after the answer (of a body that is too large) are read and dropped for this long.
    lingering_seconds: float = 2
    watch_seconds: float = 1


class Connection(web.RequestHandler):
    """A connection, closed when it goes past a limit of its server."""

    __slots__ = ("_among", "_headers_since", "_refused", "_unread_since")

    def __init__(self, among: Connections, server: web.Server, **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._among = among
        self._refused = False
        self._headers_since: float | None = None
        self._unread_since: float | None = None

    @property
    def waits_for_request(self) -> bool:
        """True while it is idle or its next request is incomplete."""
        return self._waiter is not None and not self._waiter.done()

    def late(self, now: float) -> str | None:
        """Name of the limit that has run out."""
        limits = self._among.limits
        if self._headers_since is not None and now - self._headers_since > limits.header_seconds:
            return "headers_late"
        if self._unread_since is not None and now - self._unread_since > limits.unread_seconds:
            return "answer_unread"
        return None

    def drop(self) -> None:
        """Close at once and lose unsent bytes."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._among.admit(self):
            self._refused = True
            plain = cast("asyncio.Transport", transport)
            plain.write(_FULL)
            plain.close()
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if not self.waits_for_request:
            self._headers_since = None
            self._among.used(self)
        elif data and self._headers_since is None:
            self._headers_since = self._loop.time()

    def eof_received(self) -> None:
        if not self._refused:
            super().eof_received()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_since = self._loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_since = None

    def connection_lost(self, exc: BaseException | None) -> None:
        self._among.left(self)
        if not self._refused:
            super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's own words, which quote what was sent
    ) -> web.StreamResponse:
        """Answer bytes that are no request, and faults of ours, without versions or internals."""
        if status < _SERVER_ERROR:
            count_refusal("unreadable")
        else:
            _log.error("request_failed", status=status, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way already")
        text = "the request can't be read" if status < _SERVER_ERROR else "the request failed"
        headers = {"Server": "recado", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        response = web.Response(status=status, text=text, headers=headers)
        response.force_close()
        return response


class Connections:
    """Connections of one server, the longest unused first.

    At the limit a new connection replaces one that waits for a request, so that idle clients keep nobody out. While
    all are being answered, the new connection gets a 503.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._most = limits.connections or most_connections()
        self._all: dict[Connection, None] = {}

    def factory(self, server: web.Server) -> Callable[[], Connection]:
        """Factory of this server's connections, for the event loop."""
        return partial(
            Connection,
            self,
            server,
            access_log=None,
            keepalive_timeout=self.limits.idle_seconds,
            lingering_time=self.limits.lingering_seconds,
            read_bufsize=64 * 1024,
            # Because a small compressed body can inflate without end, nothing is inflated (bot/web/request_bodies.py).
            auto_decompress=False,
        )

    def admit(self, newcomer: Connection) -> bool:
        """Take a new connection, if there is a place for it."""
        if len(self._all) >= self._most and not self._make_room(1):
            count_refusal("connections_full", connections=self._most)
            return False
        self._all[newcomer] = None
        return True

    def used(self, connection: Connection) -> None:
        """Move a connection with a new request to the end, so that it makes room last."""
        if self._all.pop(connection, self) is None:
            self._all[connection] = None

    def left(self, connection: Connection) -> None:
        self._all.pop(connection, None)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[Self]:
        """Close what is late, for as long as the context lasts."""
        async with background(self._watch):
            yield self

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.watch_seconds)
            for connection in list(self._all):
                if reason := connection.late(loop.time()):
                    count_refusal(reason)
                    self._drop(connection)
            self._look_at_files()

    def _look_at_files(self) -> None:
        """Log and count that no file can be opened, because new connections fail without any other sign."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            fix = "raise the limit of open files (ulimit -n, LimitNOFILE, ulimits in compose)"
            count_refusal("files_exhausted", error=error.strerror, limit=file_limit(), fix=fix)
            self._make_room(_ROOM_FOR_FILES)

    def _make_room(self, count: int) -> int:
        """Close connections that wait for a request, the longest unused first; return their number."""
        waiting = (connection for connection in self._all if connection.waits_for_request)
        found = [connection for connection, _ in zip(waiting, range(count), strict=False)]
        for connection in found:
            count_refusal("connection_made_room", connections=len(self._all))
            self._drop(connection)
        return len(found)

    def _drop(self, connection: Connection) -> None:
        self.left(connection)
        connection.drop()

"""Bodies of requests: at most so many bytes each and together, in so many seconds, and never inflated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.web.refusals import count_refusal

# Eight of the largest that Meta sends, or thousands of those that it sends otherwise.
_MOST_BYTES = 32 * 1024 * 1024
_SECONDS = 20.0


class BodyRefused(Exception):
    """A body that is not taken: `reason` for a metric, `status` for its sender."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


@dataclass(slots=True, eq=False)
class _Received:
    deadline: asyncio.Timeout
    data: bytearray = field(default_factory=bytearray)
    gave_way: bool = False


class RequestBodies:
    """The bodies that are being received now, the oldest first.

    Where all together grow too large, the oldest gives way: an honest body is here within one round trip, so the
    oldest is the one that somebody leaves unfinished.
    """

    def __init__(self, *, most_bytes: int = _MOST_BYTES, seconds: float = _SECONDS) -> None:
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._received: dict[_Received, None] = {}
        self._bytes = 0

    async def read(self, request: web.Request, limit: int) -> bytes:
        """The whole of a body of at most `limit` bytes; raises BodyRefused."""
        if (request.content_length or 0) > limit:
            raise _refusal("too_large", 413)
        if request.content.is_eof() and request.content.exception() is None:
            # All of it came with the headers, as a rule: it takes no time, and no room that others need.
            body = request.content.read_nowait()
            if len(body) > limit:
                raise _refusal("too_large", 413)
            return body
        received = _Received(asyncio.timeout(self._seconds))
        self._received[received] = None
        try:
            async with received.deadline:
                await self._fill(received, request, limit)
        except TimeoutError:
            raise _refusal("no_room", 503) if received.gave_way else _refusal("late", 408) from None
        except web.RequestPayloadError as error:
            raise _refusal("unreadable", 400) from error
        finally:
            self._forget(received)
        return bytes(received.data)

    async def _fill(self, received: _Received, request: web.Request, limit: int) -> None:
        while piece := await request.content.readany():
            received.data += piece
            self._bytes += len(piece)
            if len(received.data) > limit:
                raise _refusal("too_large", 413)
            while self._bytes > self._most_bytes and (oldest := next(iter(self._received))) is not received:
                oldest.gave_way = True
                if not oldest.deadline.expired():
                    oldest.deadline.reschedule(asyncio.get_running_loop().time())
                self._forget(oldest)
                oldest.data.clear()

    def _forget(self, received: _Received) -> None:
        if self._received.pop(received, received) is None:
            self._bytes -= len(received.data)


BODIES = web.AppKey("request_bodies", RequestBodies)


@web.middleware
async def plain_bodies_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse compressed bodies unread: a signature is over the bytes as sent, and no service of ours compresses."""
    encodings = ",".join(request.headers.getall("Content-Encoding", ()))
    if encodings and any(encoding.strip().lower() not in ("", "identity") for encoding in encodings.split(",")):
        count_refusal("body_encoded")
        # RFC 9110, 15.5.16: the header says which encodings are taken.
        words = {"error": "the body is compressed; send it as it is"}
        return web.json_response(words, status=415, headers={"Accept-Encoding": "identity"})
    return await handler(request)


def _refusal(reason: str, status: int) -> BodyRefused:
    count_refusal(f"body_{reason}")
    return BodyRefused(reason, status)

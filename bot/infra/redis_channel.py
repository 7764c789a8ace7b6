"""A connection to Redis over which many requests are under way: written together, answered in their order."""

# mypy: disable-error-code=no-untyped-call
# redis-py has types for some of its methods only.
from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import InvalidResponse, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as AnswerTimeout

_LARGEST_SHARED = 1024 * 1024
_PACKED_BY_HIREDIS = frozenset((str, bytes, int, float))
_MISSING = object()


class ClientClosed(ConnectionBroken):
    """The client was closed while the request was under way."""


class RequestTooLarge(Exception):
    """The request would delay the others on the shared connection."""


class Request:
    """Bytes that were or will be written together, and the answers to them that have come."""

    __slots__ = ("answers", "deadline", "expected", "future")

    def __init__(self, expected: int, future: asyncio.Future[list[Any] | Exception]) -> None:
        self.expected = expected
        # Errors are results here: nobody would retrieve the exception of a future whose caller is cancelled meanwhile.
        self.future = future
        self.answers: list[Any] = []
        self.deadline = 0.0

    def end(self, result: list[Any] | Exception) -> None:
        if not self.future.done():
            self.future.set_result(result)


class RedisChannel(asyncio.Protocol):
    """A connection that redis-py has opened; from then on the bytes come and go here.

    A request whose caller is gone keeps its place until its answer is read: no answer reaches another's request.
    """

    def __init__(self, connection: AbstractConnection, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.connection = connection
        self.open = True
        self.lost: asyncio.Future[None] = loop.create_future()
        self._timeout: float | None = connection.socket_timeout
        self._asked: deque[Request] = deque()
        self._unsent: list[tuple[Request, bytes]] = []
        self._timer: asyncio.TimerHandle | None = None
        encoder = connection.encoder
        self._fast = (encoder.encoding.lower(), encoder.encoding_errors) == ("utf-8", "strict")
        decoding = {"encoding": encoder.encoding, "errors": encoder.encoding_errors} if encoder.decode_responses else {}
        self._parser = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=connection._parser.parse_error,  # noqa: SLF001 - names redis-py's exceptions
            notEnoughData=_MISSING,
            **decoding,
        )
        writer = cast("asyncio.StreamWriter", connection._writer)  # noqa: SLF001 - redis-py shows it to nobody
        self._transport = cast("asyncio.Transport", writer.transport)
        self._streams = self._transport.get_protocol()
        self._transport.set_protocol(self)

    @property
    def alive(self) -> bool:
        return not self.lost.done() and not self.loop.is_closed()

    def pack(self, command: tuple[Any, ...]) -> bytes:
        """Give the command in Redis's protocol; raises DataError for a value that has no form in it."""
        if self._fast and _PACKED_BY_HIREDIS.issuperset(map(type, command)) and " " not in command[0]:
            packed: bytes = hiredis.pack_command(command)
            return packed
        return b"".join(self.connection.pack_command(*command))

    def ask(self, packed: bytes, expected: int) -> asyncio.Future[list[Any] | Exception]:
        """Write these commands with all others of this round; the result is their answers, or the error of all."""
        request = Request(expected, self.loop.create_future())
        if not self.open:
            # Lost since it was chosen for this request.
            request.end(ConnectionBroken("the connection was lost"))
            return request.future
        if not self._unsent:
            self.loop.call_soon(self._send)
        self._unsent.append((request, packed))
        return request.future

    def _send(self) -> None:
        # Of a caller that is gone already nothing is written.
        unsent = [(request, packed) for request, packed in self._unsent if not request.future.done()]
        self._unsent = []
        if not unsent:
            self._end_if_idle()
            return
        deadline = self.loop.time() + self._timeout if self._timeout else float("inf")
        for request, _ in unsent:
            request.deadline = deadline
            self._asked.append(request)
        # No wait for the buffer to empty: each caller waits for its answer, which bounds the buffer.
        self._transport.write(b"".join([packed for _, packed in unsent]))
        if self._timer is None and self._timeout:
            self._timer = self.loop.call_at(deadline, self._look_for_late)

    def _look_for_late(self) -> None:
        # A round later: answers that came while the loop was busy are read before.
        self._timer = self.loop.call_later(0, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self.loop.time()
        for request in self._asked:
            if request.deadline > now:
                self._timer = self.loop.call_at(request.deadline, self._look_for_late)
                break
            if not request.future.done():
                # New requests get a new connection. Later ones on this connection keep their own time.
                request.end(AnswerTimeout("Timeout reading from the shared connection"))
            self.open = False
        self._end_if_idle()

    def data_received(self, data: bytes) -> None:
        self._parser.feed(data)
        while (answer := self._next()) is not _MISSING:
            if isinstance(answer, hiredis.PushNotification):
                continue
            if not self._asked:
                self.end(ConnectionBroken("Redis answered what nobody asked"))
                return
            request = self._asked[0]
            request.answers.append(answer)
            if isinstance(answer, (ReadOnlyError, ConnectionBroken)):
                # Since a failover the name may lead to another server; a server that is loading closes or recovers.
                self.open = False
            if len(request.answers) == request.expected:
                self._asked.popleft()
                request.end(request.answers)
        self._end_if_idle()

    def _next(self) -> Any:
        try:
            return self._parser.gets()
        except UnicodeDecodeError as error:
            # The answer was read to its end: its own caller hears of it.
            return error
        except InvalidResponse as error:
            self.end(error)
            return _MISSING

    def _end_if_idle(self) -> None:
        if not self.open and not self._unsent and all(request.future.done() for request in self._asked):
            self.end(ConnectionBroken("given up"))

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        # redis-py waits for its own protocol when it closes the connection.
        self._streams.connection_lost(error)
        if not self.lost.done():
            self.lost.set_result(None)
        self.end(ConnectionBroken("Connection closed by server" if error is None else f"Connection lost: {error}"))

    def end(self, error: Exception) -> None:
        """Close the connection; requests under way end with the error."""
        self.open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        asked, self._asked = self._asked, deque()
        unsent, self._unsent = self._unsent, []
        for request in (*asked, *(request for request, _ in unsent)):
            request.end(copy.copy(error))
        self._transport.abort()
        self.connection._close()  # noqa: SLF001 - forgets the streams without waiting


class Exchange:
    """A request and its answers; or a connection as redis-py's `_execute_transaction` uses it."""

    __slots__ = ("_answers", "_channel", "_expected")

    def __init__(self, channel: RedisChannel) -> None:
        self._channel = channel
        self._expected = 0
        self._answers: Iterator[Any] = iter(())

    async def ask(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Give the commands' answers, of which some may be a ResponseError; raises any other error."""
        answers = await self._ask(b"".join(map(self._channel.pack, commands)), len(commands))
        for answer in answers:
            _refuse_broken(answer)
        return answers

    def pack_commands(self, commands: Iterable[tuple[Any, ...]]) -> list[bytes]:
        packed = [self._channel.pack(command) for command in commands]
        self._expected = len(packed)
        return packed

    async def send_packed_command(self, packed: list[bytes]) -> None:
        self._answers = iter(await self._ask(b"".join(packed), self._expected))

    async def _ask(self, packed: bytes, expected: int) -> list[Any]:
        if len(packed) > _LARGEST_SHARED:
            raise RequestTooLarge
        result = await self._channel.ask(packed, expected)
        if isinstance(result, Exception):
            raise result
        return result

    async def read_response(self) -> Any:
        answer = next(self._answers)
        if isinstance(answer, ResponseError):
            raise answer from None
        _refuse_broken(answer)
        return answer


def _refuse_broken(answer: Any) -> None:
    """Raise the error that is an answer, or the first part of one; a ResponseError concerns its command alone."""
    if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
        raise answer
    if isinstance(answer, list) and answer and isinstance(answer[0], ConnectionBroken):
        raise answer[0]

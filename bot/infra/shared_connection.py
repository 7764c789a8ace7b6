"""A Redis client whose tasks share one connection: requests of one round of the event loop leave in one write.

Answers come in the order of the requests, so a large answer delays those behind it. A request of over 1 MB, a command
that blocks, a subscription and a watched transaction each have a pooled connection to themselves.
"""

# mypy: disable-error-code=no-untyped-call
# redis-py has types for some of its methods only.
from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeVar, cast

import hiredis
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.client import NEVER_DECODE
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import InvalidResponse, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as AnswerTimeout

_LARGEST_SHARED = 1024 * 1024
# Each of these waits in the server, changes its connection, or is answered by more or less than one reply.
_ALONE = {
    "ASKING", "AUTH", "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN",
    "CLIENT", "DEBUG", "DISCARD", "EXEC", "FAILOVER", "HELLO", "MIGRATE", "MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC",
    "PUNSUBSCRIBE", "QUIT", "READONLY", "READWRITE", "REPLCONF", "RESET", "SAVE", "SELECT", "SHUTDOWN",
    "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "SYNC", "UNSUBSCRIBE", "UNWATCH", "WAIT", "WAITAOF", "WATCH",
    "XREAD", "XREADGROUP",
}  # fmt: skip
_PACKED_BY_HIREDIS = frozenset((str, bytes, int, float))
_MISSING = object()
_CLOSE_SECONDS = 2.0
T = TypeVar("T")


class ClientClosed(ConnectionBroken):
    """The client was closed while the request was under way."""


class _TooLarge(Exception):
    """The request would delay the others on the shared connection."""


class _Request:
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


class _Channel(asyncio.Protocol):
    """One connection that redis-py has opened; from then on the bytes come and go here.

    A request whose caller is gone keeps its place until its answer is read: no answer reaches another's request.
    """

    def __init__(self, connection: AbstractConnection, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.connection = connection
        self.open = True
        self.lost: asyncio.Future[None] = loop.create_future()
        self._timeout: float | None = connection.socket_timeout
        self._asked: deque[_Request] = deque()
        self._unsent: list[tuple[_Request, bytes]] = []
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
        request = _Request(expected, self.loop.create_future())
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


class _Exchange:
    """A connection as redis-py's `execute` methods use it: one request is sent, then its answers are read."""

    __slots__ = ("_answers", "_channel", "_expected")

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._expected = 1
        self._answers: Iterator[Any] = iter(())

    async def send_command(self, *command: Any) -> None:
        await self._ask(self._channel.pack(command))

    def pack_commands(self, commands: Iterable[tuple[Any, ...]]) -> list[bytes]:
        packed = [self._channel.pack(command) for command in commands]
        self._expected = len(packed)
        return packed

    async def send_packed_command(self, packed: list[bytes]) -> None:
        await self._ask(b"".join(packed))

    async def _ask(self, packed: bytes) -> None:
        if len(packed) > _LARGEST_SHARED:
            raise _TooLarge
        result = await self._channel.ask(packed, self._expected)
        if isinstance(result, Exception):
            raise result
        self._answers = iter(result)

    async def read_response(self) -> Any:
        answer = next(self._answers)
        if isinstance(answer, ResponseError):
            raise answer from None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, list) and answer and isinstance(answer[0], ConnectionBroken):
            raise answer[0]
        return answer


class _SharedConnection:
    """Opens the channel for the first who asks, and a new one when that is given up or lost."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._channel: _Channel | None = None
        self._channels: list[_Channel] = []
        self._opening: asyncio.Task[_Channel] | None = None

    async def run(self, execute: Callable[[Any], Awaitable[T]]) -> T:
        """Execute over the shared connection; after a break again, as often as the connection's `retry` says."""
        channel = self._channel
        if channel is None or not channel.open or channel.loop is not asyncio.get_running_loop():
            channel = await self._opened()
        try:
            return await execute(_Exchange(channel))
        except ConnectionBroken as error:
            if isinstance(error, ClientClosed):
                raise
            broken = error
        return await self._again(execute, broken, channel.connection.retry)

    async def _again(self, execute: Callable[[Any], Awaitable[T]], broken: ConnectionBroken, retry: Retry) -> T:
        first = [broken]

        async def once() -> T:
            if first:
                raise first.pop()
            return await execute(_Exchange(await self._opened()))

        async def ignore(_: Exception) -> None:
            """The channel has ended itself."""

        def retryable(error: Exception) -> bool:
            return not isinstance(error, ClientClosed)

        return cast("T", await copy.deepcopy(retry).call_with_retry(once, ignore, retryable))

    async def _opened(self) -> _Channel:
        loop = asyncio.get_running_loop()
        self._refuse_other(loop)
        channel = self._channel
        if channel is not None and channel.open and channel.loop is loop:
            return channel
        if self._opening is None or self._opening.get_loop() is not loop:
            self._opening = loop.create_task(self._open(loop))
            self._opening.add_done_callback(self._keep)
        opening = self._opening
        # A caller that is cancelled does not end the task: the others wait for it too.
        await asyncio.wait((opening,))
        if opening.cancelled():
            raise ClientClosed("the client was closed")
        error = opening.exception()
        if error is not None:
            raise copy.copy(error) from error
        return opening.result()

    async def _open(self, loop: asyncio.AbstractEventLoop) -> _Channel:
        connection = self._pool.make_connection()
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return _Channel(connection, loop)

    def _keep(self, opening: asyncio.Task[_Channel]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._channel = opening.result()
            self._channels.append(self._channel)

    def _refuse_other(self, loop: asyncio.AbstractEventLoop) -> None:
        self._channels = [channel for channel in self._channels if channel.alive]
        loops = {channel.loop for channel in self._channels}
        if self._opening is not None and not self._opening.get_loop().is_closed():
            loops.add(self._opening.get_loop())
        if loops - {loop}:
            raise RuntimeError("this Redis client is in use by another event loop")

    async def close(self) -> None:
        """Close all connections; requests under way end with ClientClosed. A later request connects anew."""
        loop = asyncio.get_running_loop()
        self._refuse_other(loop)
        # Until `_keep` has run, because a connection that is opened in this very moment has to be closed too.
        while (opening := self._opening) is not None and opening.get_loop() is loop:
            # On Python 3.11 a cancellation gets lost now and then.
            opening.cancel()
            await asyncio.wait({opening}, timeout=1)
        self._opening = None
        channels, self._channels, self._channel = self._channels, [], None
        for channel in channels:
            channel.end(ClientClosed("the client was closed"))
        if channels:
            await asyncio.wait([channel.lost for channel in channels], timeout=_CLOSE_SECONDS)


class SharedPipeline(Pipeline):
    """A pipeline over the shared connection, unless it watches keys, blocks, or is large."""

    def __init__(self, shared: _SharedConnection, *args: Any) -> None:
        super().__init__(*args)
        self._shared = shared

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        stack = self.command_stack
        if self._alone() or not stack:
            return await super().execute(raise_on_error)
        execute = self._execute_transaction if self.is_transaction else self._execute_pipeline
        try:
            if self.scripts:
                await self.load_scripts()
            result = await self._shared.run(lambda connection: execute(connection, stack, raise_on_error))
        except _TooLarge:
            return await super().execute(raise_on_error)
        finally:
            await self.reset()
        return cast("list[Any]", result)

    def _alone(self) -> bool:
        if self.watching or self.explicit_transaction or self.connection is not None:
            return True
        return any(_is_alone(args[0]) or NEVER_DECODE in options for args, options in self.command_stack)

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Load scripts over the shared connection too; with WATCH the pipeline gets a connection to itself."""
        if self.watching or self.connection is not None or _is_alone(args[0]):
            return await super().immediate_execute_command(*args, **options)
        return await self._shared.run(
            lambda connection: self._send_command_parse_response(connection, args[0], *args, **options)
        )


class SharedRedis(Redis):
    """redis-py's client over one shared connection, and its pool for what needs a connection to itself."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._shared = _SharedConnection(self.connection_pool)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if self.single_connection_client or _is_alone(args[0]) or NEVER_DECODE in options:
            return await super().execute_command(*args, **options)
        try:
            return await self._shared.run(
                lambda connection: self._send_command_parse_response(connection, args[0], *args, **options)
            )
        except _TooLarge:
            return await super().execute_command(*args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's signature
        return SharedPipeline(self._shared, self.connection_pool, self.response_callbacks, transaction, shard_hint)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's signature
        await self._shared.close()
        await super().aclose(close_connection_pool)


@cache
def _is_alone(name: str | bytes) -> bool:
    return not isinstance(name, str) or name.split()[0].upper() in _ALONE

"""A Redis client whose tasks share one connection: requests of one round of the event loop leave in one write.

Answers come in the order of the requests, so a large answer delays those behind it. A request of over 1 MB, a command
that blocks, a subscription and a watched transaction each have a pooled connection to themselves.
"""

# mypy: disable-error-code=no-untyped-call
# redis-py has types for some of its methods only.
from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import ConnectionPool
from redis.asyncio.retry import Retry
from redis.client import EMPTY_RESPONSE, NEVER_DECODE
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import ResponseError

from bot.infra.redis_channel import ClientClosed, Exchange, RedisChannel, RequestTooLarge

# Each of these waits in the server, changes its connection, or is answered by more or less than one reply.
_ALONE = {
    "ASKING", "AUTH", "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN",
    "CLIENT", "DEBUG", "DISCARD", "EXEC", "FAILOVER", "HELLO", "MIGRATE", "MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC",
    "PUNSUBSCRIBE", "QUIT", "READONLY", "READWRITE", "REPLCONF", "RESET", "SAVE", "SELECT", "SHUTDOWN",
    "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "SYNC", "UNSUBSCRIBE", "UNWATCH", "WAIT", "WAITAOF", "WATCH",
    "XREAD", "XREADGROUP",
}  # fmt: skip
# Options that say how an answer is read off the connection.
_BY_REDIS_PY = frozenset((NEVER_DECODE, EMPTY_RESPONSE))
_CLOSE_SECONDS = 2.0
Callbacks = Mapping[Any, Any]
T = TypeVar("T")


class _SharedConnection:
    """Opens the channel for the first who asks, and a new one when that is given up or lost."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._channel: RedisChannel | None = None
        self._channels: list[RedisChannel] = []
        self._opening: asyncio.Task[RedisChannel] | None = None

    async def run(self, execute: Callable[[Exchange], Awaitable[T]]) -> T:
        """Execute over the shared connection; after a break again, as often as the connection's `retry` says."""
        channel = self._channel
        if channel is None or not channel.open or channel.loop is not asyncio.get_running_loop():
            channel = await self._opened()
        try:
            return await execute(Exchange(channel))
        except ConnectionBroken as error:
            if isinstance(error, ClientClosed):
                raise
            broken = error
        return await self._again(execute, broken, channel.connection.retry)

    async def _again(self, execute: Callable[[Exchange], Awaitable[T]], broken: ConnectionBroken, retry: Retry) -> T:
        first = [broken]

        async def once() -> T:
            if first:
                raise first.pop()
            return await execute(Exchange(await self._opened()))

        async def ignore(_: Exception) -> None:
            """The channel has ended itself."""

        def retryable(error: Exception) -> bool:
            return not isinstance(error, ClientClosed)

        return cast("T", await copy.deepcopy(retry).call_with_retry(once, ignore, retryable))

    async def _opened(self) -> RedisChannel:
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

    async def _open(self, loop: asyncio.AbstractEventLoop) -> RedisChannel:
        connection = self._pool.make_connection()
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return RedisChannel(connection, loop)

    def _keep(self, opening: asyncio.Task[RedisChannel]) -> None:
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
        execute: Any = self._execute_transaction if self.is_transaction else self._execute_together
        try:
            if self.scripts:
                await self.load_scripts()
            result = await self._shared.run(lambda exchange: execute(exchange, stack, raise_on_error))
        except RequestTooLarge:
            return await super().execute(raise_on_error)
        finally:
            await self.reset()
        return cast("list[Any]", result)

    async def _execute_together(self, exchange: Exchange, stack: Any, raise_on_error: bool) -> list[Any]:  # noqa: FBT001 - redis-py's order
        """Do as redis-py's `_execute_pipeline`, but without a coroutine for each answer."""
        found: list[Any] = []
        for answer, (args, options) in zip(await exchange.ask([args for args, _ in stack]), stack, strict=True):
            is_error = isinstance(answer, ResponseError)
            found.append(answer if is_error else _read(self.response_callbacks, answer, args[0], options))
        if raise_on_error:
            self.raise_first_error(stack, found)
        return found

    def _alone(self) -> bool:
        if self.watching or self.explicit_transaction or self.connection is not None:
            return True
        return any(_is_alone(args[0]) or not _BY_REDIS_PY.isdisjoint(options) for args, options in self.command_stack)

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Load scripts over the shared connection too; with WATCH the pipeline gets a connection to itself."""
        if self.watching or self.connection is not None or _is_alone(args[0]):
            return await super().immediate_execute_command(*args, **options)
        return await _execute(self._shared, self.response_callbacks, args, options)


class SharedRedis(Redis):
    """redis-py's client over one shared connection, and its pool for what needs a connection to itself."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._shared = _SharedConnection(self.connection_pool)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if self.single_connection_client or _is_alone(args[0]) or not _BY_REDIS_PY.isdisjoint(options):
            return await super().execute_command(*args, **options)
        try:
            return await _execute(self._shared, self.response_callbacks, args, options)
        except RequestTooLarge:
            return await super().execute_command(*args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's signature
        return SharedPipeline(self._shared, self.connection_pool, self.response_callbacks, transaction, shard_hint)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's signature
        await self._shared.close()
        await super().aclose(close_connection_pool)


async def _execute(
    shared: _SharedConnection, callbacks: Callbacks, command: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    (answer,) = await shared.run(lambda exchange: exchange.ask((command,)))
    if isinstance(answer, ResponseError):
        raise answer
    return _read(callbacks, answer, command[0], options)


def _read(callbacks: Callbacks, answer: Any, name: str, options: dict[str, Any]) -> Any:
    """Give an answer the form that redis-py's methods give it."""
    # For a cache on the client's side, which we don't have.
    options.pop("keys", None)
    callback = callbacks.get(name)
    return answer if callback is None else callback(answer, **options)


@cache
def _is_alone(name: str | bytes) -> bool:
    return not isinstance(name, str) or name.split()[0].upper() in _ALONE

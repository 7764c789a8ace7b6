"""Our way to Redis: how to connect, how keys are spelled, and how many requests share one round trip."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, Self, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import ReadOnlyError, RedisError

from bot.infra.shared_connection import SharedRedis
from bot.settings import RedisSettings

_AT_ONCE = 200
_log = structlog.get_logger()
_DRIVER = DriverInfo()
# Lua takes 8,000 values from `unpack` (LUAI_MAXCSTACK), less what is on its stack already.
_UNPACKED = 1000
# Commands whose values stand for themselves: how many parts come before them, and how many make one of them.
_SPLITTABLE = {
    "DEL": (1, 1), "UNLINK": (1, 1), "HDEL": (2, 1), "HSET": (2, 2), "LPUSH": (2, 1), "RPUSH": (2, 1),
    "SADD": (2, 1), "SREM": (2, 1), "ZREM": (2, 1),
}  # fmt: skip
T = TypeVar("T")
R = TypeVar("R")
_reconnecting_classes: dict[type[Any], type[Any]] = {}


class RedisNotReachable(OSError):
    """Redis didn't answer when a process needed it to start."""

    def __init__(self) -> None:
        super().__init__(
            "Redis does not answer; see REDIS_URL, or REDIS_HOST, REDIS_PORT, REDIS_PASSWORD and REDIS_TLS"
        )


class RedisIsCluster(OSError):
    """Recado can't work with this server."""

    def __init__(self) -> None:
        super().__init__(
            "REDIS_URL leads to a Redis Cluster, which Recado does not support; "
            "use one primary, with replicas if you like, and cluster-enabled no"
        )


async def refuse_cluster(client: Redis) -> None:
    """Raise RedisIsCluster at the start, and not as errors of single keys in the middle of a message.

    A Redis that doesn't answer, or doesn't tell, is somebody else's matter.
    """
    try:
        found = await client.info("cluster")
    except (RedisError, OSError):
        return
    if found.get("cluster_enabled"):
        raise RedisIsCluster


def key(conversation: str, *parts: str) -> str:
    """A key of one conversation; the braces mark its name, so that all of its keys are found by it."""
    return ":".join((f"recado:{{{conversation}}}", *parts))


def answer(command: Awaitable[T] | T) -> Awaitable[T]:
    """Tell type checkers that this command is awaitable, because redis-py gives both of its clients one signature."""
    return cast("Awaitable[T]", command)


class _ReconnectOnReadOnly:
    """A connection that is given up where it leads to a replica: since a failover its name may lead elsewhere."""

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)  # type: ignore[misc] # of the connection mixed in
        except ReadOnlyError:
            self.mark_for_reconnect()  # type: ignore[attr-defined] # as above
            raise


def retrying(times: int) -> Retry:
    """A broken connection is tried again: whatever is asked has to be harmless when it is done twice.

    A time-out is not: it has lasted long enough already for whoever waits.
    """
    return Retry(ExponentialBackoff(cap=0.3, base=0.05), times, supported_errors=(ConnectionBroken,))


def connect(settings: RedisSettings) -> Redis:
    """A client that answers in text and gives up within seconds, so that a webhook can say 503 in time.

    Its tasks share one connection: see bot.infra.shared_connection.

    With TLS the server's certificate and name are checked: by the system's CAs, those of SSL_CERT_FILE, or those of
    `?ssl_ca_certs=…` in REDIS_URL.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        # Made once: redis-py would look its own version up on the disk for every connection.
        "driver_info": _DRIVER,
        "socket_connect_timeout": 5,
        "socket_timeout": 5,
        "retry": retrying(2),
    }
    if settings.url:
        client = SharedRedis.from_url(settings.url.get_secret_value(), **options)
    else:
        password = settings.password.get_secret_value() if settings.password else None
        client = SharedRedis(host=settings.host, port=settings.port, password=password, ssl=settings.tls, **options)
    client.connection_pool.connection_class = _reconnecting(client.connection_pool.connection_class)
    return client


def _reconnecting(plain: type[Any]) -> type[Any]:
    if plain not in _reconnecting_classes:
        _reconnecting_classes[plain] = type(plain.__name__, (_ReconnectOnReadOnly, plain), {})
    return _reconnecting_classes[plain]


def split_command(command: Sequence[str]) -> list[list[str]]:
    """The same command as several, each with so few values that a script can hand them over with Lua's `unpack`.

    Raises ValueError for one of many values that is no list of independent ones: a script stops in its middle at it.
    """
    if len(command) <= _UNPACKED:
        return [list(command)]
    fixed, step = _SPLITTABLE.get(command[0].upper(), (0, 0))
    if not fixed:
        raise ValueError(f"{command[0]} with {len(command)} parts can't be a part of a script")
    head, values, size = command[:fixed], command[fixed:], (_UNPACKED - fixed) // step * step
    return [[*head, *values[start : start + size]] for start in range(0, len(values), size)]


async def cancel_and_wait(task: asyncio.Future[Any], again_seconds: float = 1) -> None:
    """Cancel a task that works with Redis until it is over: one cancellation in ten or so gets lost.

    redis-py 7 sends within `asyncio.wait_for`, which on Python 3.11 forgets a cancellation that comes as it ends.
    It is cancelled again after so many seconds, in which it may clean up.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=again_seconds)
    await asyncio.gather(task, return_exceptions=True)


async def shielded(work: Awaitable[T]) -> T:
    """Clean up with Redis after a cancellation: in a task of its own, which is finished though this one is cancelled.

    redis-py looks at a connection under a time-out of zero. On early Pythons (3.11.2 does it, 3.11.7 does not) that
    cancels whoever was cancelled before once more: such a task can't talk to Redis.
    """
    return await asyncio.shield(asyncio.ensure_future(work))


class MicroBatcher(Generic[T, R]):
    """Work of many requests goes to Redis together: while one round trip is under way, the next gathers.

    A single item is sent at once. `work` answers each item with its result or its error, as if it had come alone.
    An item without an answer after so many seconds fails with TimeoutError: one timer for all items, because a timer
    for each costs more than the rest of an item.
    """

    def __init__(
        self, work: Callable[[list[T]], Awaitable[Sequence[R | Exception]]], *, seconds: float | None = None
    ) -> None:
        self._work = work
        self._seconds = seconds
        self._due: deque[tuple[float, asyncio.Future[R]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._wake = asyncio.Event()

    def __call__(self, item: T) -> asyncio.Future[R]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future))
        self._wake.set()
        if self._seconds is not None:
            self._limit(future, loop, self._seconds)
        return future

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            await cancel_and_wait(task)
            if self._timer is not None:
                self._timer.cancel()
            for _, future in self._waiting:
                future.cancel()

    def _limit(self, future: asyncio.Future[R], loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        while self._due and self._due[0][1].done():
            self._due.popleft()
        self._due.append((loop.time() + seconds, future))
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._fail_late, loop)

    def _fail_late(self, loop: asyncio.AbstractEventLoop) -> None:
        """Fail the items whose time is over, and look again when the next one's is."""
        while self._due and (self._due[0][1].done() or self._due[0][0] <= loop.time()):
            _, future = self._due.popleft()
            if not future.done():
                future.set_exception(TimeoutError())
        self._timer = loop.call_at(self._due[0][0], self._fail_late, loop) if self._due else None

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            taken, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            if not self._waiting:
                self._wake.clear()
            await self._do(taken)

    async def _do(self, taken: list[tuple[T, asyncio.Future[R]]]) -> None:
        results = await self._results([item for item, _ in taken])
        for (_, future), result in zip(taken, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    async def _results(self, items: list[T]) -> Sequence[R | Exception]:
        """Give each item its result, whatever happens: nobody would start this loop again."""
        try:
            results = await self._work(items)
        except (RedisError, OSError) as error:
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001 - its item gets it, or the log does
            if len(items) > 1:
                # One of them is to blame, and the others must not fail with it. Work may run twice.
                return [result for item in items for result in await self._results([item])]
            _log.exception("batch_item_failed", work=getattr(self._work, "__qualname__", "work"))
            return [error]
        if len(results) != len(items):
            _log.error("batch_results_wrong", items=len(items), results=len(results))
            return [RuntimeError("a batch gave another number of results than items")] * len(items)
        return results

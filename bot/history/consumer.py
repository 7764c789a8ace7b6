"""Carries entries from the stream into the database. Several workers do so at once, and nobody waits for them."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.database.lazy import LazyDatabase
from bot.history.entries import Entry, read_entry
from bot.history.opening import history_writer, is_away
from bot.history.stream import MOST_ENTRIES, HistoryStream, StreamItem
from bot.infra.alerts import Alarm, Alerts
from bot.infra.background import background
from bot.infra.crash_points import passing
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import HISTORY_ENTRIES
from bot.infra.redis import cancel_and_wait

if TYPE_CHECKING:
    from bot.history.writer import HistoryWriter

_log = structlog.get_logger()
# Large batches catch up faster, because a transaction costs as much as some hundred entries.
_AT_ONCE = 1000
_BLOCK_MILLISECONDS = 2_000
# Pause after a batch, so that more entries gather: short after few entries, because open pages wait for the next ones.
_GATHER_SECONDS, _GATHER_MANY_SECONDS = 0.15, 0.5
_MANY = 50
# A consumer that has unfinished entries and is silent for this long counts as dead.
_DEAD_MILLISECONDS = 8_000
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 15.0
# With this many waiting entries, the delay is not a short one.
_BEHIND = 5_000
_AWAY_SECONDS = 60.0
_LOOK_SECONDS = 10.0
_CLAIM_SECONDS = 3.0
_FINISH_SECONDS = 5.0
_POLL_SECONDS = 0.02
_ALERT_AGAIN_SECONDS = 3600


class DatabaseAway(Exception):
    """The database can't be written now; the entries stay in the stream."""


class HistoryConsumer:
    """`database` is opened at the first entry, because many processes never have one."""

    def __init__(
        self,
        redis: Redis,
        database: LazyDatabase,
        alerts: Alerts,
        events: LiveEvents,
        *,
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        self._stream = HistoryStream(redis)
        self._database = database
        self._alerts = alerts
        self._events = events
        self._most_entries = most_entries
        self._name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}"
        self._writer: HistoryWriter | None = None
        self._claim_at = 0.0
        self._away_since: float | None = None
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Carry entries until the context ends."""
        self._stop.clear()
        async with background(self._watch):
            carrying = asyncio.ensure_future(self._carry())
            try:
                yield
            finally:
                # We wait for the batch in progress, unless the database hangs.
                self._stop.set()
                await asyncio.wait({carrying}, timeout=_FINISH_SECONDS)
                await cancel_and_wait(carrying)

    async def _carry(self) -> None:
        wait, is_open = _FIRST_WAIT_SECONDS, False
        while not self._stop.is_set():
            try:
                if not is_open:
                    await self.open()
                    is_open = True
                carried = await self.carry_some()
                self._away_since = None
                wait = _FIRST_WAIT_SECONDS
                if 0 < carried < _AT_ONCE:
                    await self._pause(_GATHER_SECONDS if carried < _MANY else _GATHER_MANY_SECONDS)
                continue
            except DatabaseAway as error:
                _log.warning("history_waits", why=str(error), fix=_FIX, seconds=wait)
                await self._tell_away()
            except (RedisError, OSError) as error:
                _log.warning("history_not_read", error=type(error).__name__)
                # A Redis that was replaced has no group.
                is_open = False
            except Exception:  # noqa: BLE001 - nobody would start the loop again
                _log.exception("history_failed")
            await self._pause(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        if is_open:
            with suppress(RedisError, OSError):
                await self._stream.leave(self._name)

    async def _tell_away(self) -> None:
        """Alert once the database has been away for a while; few entries may wait for days."""
        now = asyncio.get_running_loop().time()
        self._away_since = self._away_since or now
        if now - self._away_since < _AWAY_SECONDS:
            return
        with suppress(RedisError, OSError):
            waiting = await self._stream.length()
            await self._alarm("history_behind", f"{waiting} entries of the history wait for the database", _FIX)

    async def open(self) -> None:
        """Be one of the readers; entries that were written before are read too."""
        await self._stream.open()

    async def until_empty(self) -> None:
        """Wait until the database has every entry."""
        while await self._stream.length():  # noqa: ASYNC110 - others carry too: there is no event
            await asyncio.sleep(_POLL_SECONDS)

    async def carry_some(self) -> int:
        """Carry the next entries, at most one batch; gives how many. Raises DatabaseAway."""
        items = await self._next()
        if not items:
            return 0
        passing("history: read, not written")
        readable: list[tuple[StreamItem, Entry]] = []
        for item in items:
            if item.raw is None:
                continue
            try:
                readable.append((item, read_entry(item.raw)))
            except ValidationError:
                await self._set_aside(item, "of another version of Recado")
        await self._write(readable)
        passing("history: written, not removed")
        await self._stream.done(items)
        HISTORY_ENTRIES.labels("written").inc(len(readable))
        if readable:
            # Open pages read from the database, so that only now they find what happened.
            names = sorted({entry.conversation for _, entry in readable})
            await self._events.publish({"type": "history", "conversations": names})
        return len(items)

    async def _next(self) -> list[StreamItem]:
        """Entries that this consumer could not finish, then those of dead consumers, then new ones."""
        now = asyncio.get_running_loop().time()
        if unfinished := await self._stream.unfinished(self._name, _AT_ONCE):
            return unfinished
        if now >= self._claim_at:
            if claimed := await self._stream.claim(self._name, _AT_ONCE, idle_milliseconds=_DEAD_MILLISECONDS):
                return claimed
            self._claim_at = now + _CLAIM_SECONDS
        return await self._new()

    async def _new(self) -> list[StreamItem]:
        """New entries, as soon as there are some; none at the end."""
        reading = asyncio.ensure_future(self._stream.new(self._name, _AT_ONCE, block_milliseconds=_BLOCK_MILLISECONDS))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return [] if self._stop.is_set() and not reading.done() else await reading
        finally:
            stopping.cancel()
            # Entries that were read in this moment stay this consumer's, until another one claims them.
            await cancel_and_wait(reading)

    async def _write(self, entries: Sequence[tuple[StreamItem, Entry]]) -> None:
        """Write entries together; where that fails for one of them, each half by itself."""
        if not entries:
            return
        if self._writer is None:
            async with _naming_away():
                self._writer = await history_writer(self._database)
        try:
            async with _naming_away():
                await self._writer.write([entry for _, entry in entries])
        except DatabaseAway:
            raise
        except Exception as error:  # noqa: BLE001 - the entry is to blame, and kept
            if len(entries) > 1:
                middle = len(entries) // 2
                await self._write(entries[:middle])
                await self._write(entries[middle:])
                return
            _log.exception("history_entry_failed", kind=entries[0][1].kind)
            await self._set_aside(entries[0][0], type(error).__name__)

    async def _set_aside(self, item: StreamItem, why: str) -> None:
        await self._stream.set_aside(item)
        HISTORY_ENTRIES.labels("set_aside").inc()
        await self._alarm("history_entry", f"an entry of the history could not be written: {why}", _ASIDE_FIX)

    async def _watch(self) -> None:
        """Tell of entries that wait too long, and keep the stream within its bound."""
        while not self._stop.is_set():
            try:
                await self.look()
            except (RedisError, OSError) as error:
                _log.warning("history_not_watched", error=type(error).__name__)
            await self._pause(_LOOK_SECONDS)

    async def look(self) -> None:
        """Alert where the database falls behind; give up the oldest entries beyond the bound."""
        waiting = await self._stream.length()
        if waiting > _BEHIND:
            await self._alarm("history_behind", f"{waiting} entries of the history wait for the database", _FIX)
        if waiting > self._most_entries:
            given_up = await self._stream.give_up_oldest(self._most_entries)
            HISTORY_ENTRIES.labels("given_up").inc(given_up)
            words = f"{given_up} entries of the history were given up: more than {self._most_entries} waited"
            _log.error("history_given_up", entries=given_up, fix=_FIX)
            await self._alarm("history_lost", words, _FIX)

    async def _pause(self, seconds: float) -> None:
        """Wait for so long, or for the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _alarm(self, kind: str, words: str, fix: str) -> None:
        await self._alerts.sound(Alarm(kind, "error", words, fix), kind, again_after=_ALERT_AGAIN_SECONDS)


_FIX = "see DATABASE_URL, and that the database answers; `recado db check` tells more. No answer to a customer waits"
_ASIDE_FIX = "see the log; the entry is kept for 30 days in the Redis list recado:history:unreadable"


def _short(error: Exception) -> str:
    """The class of an error without its text, which may quote a row or an address with a password."""
    return type(getattr(error, "orig", None) or error).__name__


@asynccontextmanager
async def _naming_away() -> AsyncIterator[None]:
    """Raise DatabaseAway in place of the driver's own errors for a database that can't be written now."""
    try:
        yield
    except Exception as error:
        if await is_away(error):
            raise DatabaseAway(_short(error)) from error
        raise

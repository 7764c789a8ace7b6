"""Writes entries into the database. An entry may come several times and in any order; it takes effect once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.advisory_locks import AdvisoryLock, hold
from bot.database.engine import Database
from bot.history.entries import Entry
from bot.history.entry_batch import EntryBatch


@asynccontextmanager
async def serialized(database: Database, patience: float | None = None) -> AsyncIterator[AsyncConnection]:
    """A transaction under the history's lock: one at a time over all workers.

    Because a batch reads states and writes them back, two at once would lose each other's changes. Gives up after
    `patience` seconds.
    """
    async with database.writing(patience) as connection:
        await hold(connection, AdvisoryLock.HISTORY)
        yield connection


class HistoryWriter:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entries: Sequence[Entry], patience: float | None = None) -> None:
        """Write entries in one transaction, all or none. Gives up after `patience` seconds."""
        async with serialized(self._database, patience) as connection:
            batch = EntryBatch(connection)
            await batch.open({entry.conversation for entry in entries})
            for entry in entries:
                await batch.take(entry)
            await batch.close()

"""The engine of a process, for SQLite or PostgreSQL, with the same transactions on both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.database import sqlite_driver
from bot.database.storable import json_text, store_plain_texts

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
# How long a writer of SQLite waits for another process's transaction.
_BUSY_MILLISECONDS = 15_000


class Database:
    """Connections to the database.

    `reading()` gives a connection that sees one snapshot and commits nothing. `writing()` gives one whose changes are
    committed at the end of the block, or undone by an exception. On SQLite it takes the write lock at once: otherwise a
    transaction could fail for what another process wrote since its first read.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.is_postgresql = engine.dialect.name == "postgresql"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self, patience: float | None = None) -> AsyncIterator[AsyncConnection]:
        """`patience` are the seconds after which a writer gives up, by an error of SQLAlchemy or OSError."""
        seconds = patience if self.is_postgresql else None
        async with asyncio.timeout(seconds), self.engine.connect() as connection:
            await connection.execution_options(recado_writes=True)
            async with self._waiting_at_most(connection, patience), connection.begin():
                yield connection

    @asynccontextmanager
    async def _waiting_at_most(self, connection: AsyncConnection, patience: float | None) -> AsyncIterator[None]:
        """Tell SQLite how long it may wait for a lock: it waits in a thread, which can't be cancelled."""
        if patience is None or self.is_postgresql:
            yield
            return
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute(f"PRAGMA busy_timeout={int(patience * 1000)}")
        try:
            yield
        finally:
            await driver.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")

    async def close(self) -> None:
        await self.engine.dispose()


def database_url(text: str) -> URL:
    """The address with the driver that Recado uses. Raises ValueError for a database that it doesn't."""
    url = make_url(text)
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise ValueError("DATABASE_URL has to begin with sqlite:/// or postgresql://")
    return url.set(drivername=driver)


def open_database(text: str) -> Database:
    """Make the engine; it connects at the first query. SQLite's folder is made where it is missing."""
    url = database_url(text)
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        options = {"timeout": _BUSY_MILLISECONDS / 1000, "async_creator_fn": sqlite_driver.connect}
        engine = create_async_engine(url, connect_args=options, json_serializer=json_text)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    else:
        engine = create_async_engine(url, pool_size=5, max_overflow=5, pool_pre_ping=True, json_serializer=json_text)
    store_plain_texts(engine.sync_engine)
    return Database(engine)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Because the driver would begin transactions only at the first change, it is told to begin none.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MILLISECONDS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("recado_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

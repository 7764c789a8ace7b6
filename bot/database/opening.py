"""The database of a process, opened at its first use, because many processes never need its libraries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.settings import DatabaseSettings

if TYPE_CHECKING:
    from bot.database.engine import Database


class DatabaseOutdated(Exception):
    """PostgreSQL's schema is older than this version of Recado; only an operator upgrades it."""

    def __init__(self) -> None:
        super().__init__("the database's schema is not up to date; run `recado db upgrade`, then start again")


class LazyDatabase:
    """Calling it gives the open database; SQLite's schema is brought up to date at the first call."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._url = settings.url.get_secret_value()
        self._upgrades = not settings.is_postgresql
        self._opening = asyncio.Lock()
        self._database: Database | None = None

    async def __call__(self) -> Database:
        if self._database is not None:
            return self._database
        async with self._opening:
            if self._database is None:
                self._database = await self._opened()
        return self._database

    async def _opened(self) -> Database:
        from bot.database.engine import open_database  # noqa: PLC0415 - not before it is needed
        from bot.database.upgrade import upgrade  # noqa: PLC0415 - as above

        database = open_database(self._url)
        if self._upgrades:
            try:
                await upgrade(database)
            except BaseException:
                await database.close()
                raise
        return database

    async def close(self) -> None:
        if self._database is not None:
            await self._database.close()
            self._database = None

"""The database of a process that may never need it: opened, with its libraries, at its first use."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from bot.settings import DatabaseSettings

if TYPE_CHECKING:
    from bot.database.engine import Database


class LazyDatabase:
    """Calling it gives the open database. Raises what `open_current` raises, and tries again at the next call."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._url = settings.url.get_secret_value()
        self._opening = asyncio.Lock()
        self._database: Database | None = None

    @property
    def is_open(self) -> bool:
        return self._database is not None

    async def __call__(self) -> Database:
        async with self._opening:
            if self._database is None:
                # Because SQLAlchemy takes a second to import, a thread does it.
                opening = await asyncio.to_thread(import_module, "bot.database.opening")
                self._database = await opening.open_current(self._url)
            return self._database

    async def close(self) -> None:
        if self._database is not None:
            await self._database.close()
            self._database = None

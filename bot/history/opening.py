"""Opens the parts of the history that need SQLAlchemy. Its import takes a second, and many processes never need it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from bot.database.lazy import LazyDatabase

if TYPE_CHECKING:
    from bot.history.personal import PersonalHistory
    from bot.history.writer import HistoryWriter

OpenHistory = Callable[[], Awaitable["PersonalHistory"]]


def personal_history(redis: Redis, database: LazyDatabase) -> OpenHistory:
    """A function that opens the history of single persons."""

    async def opened() -> PersonalHistory:
        module = await asyncio.to_thread(import_module, "bot.history.personal")
        history: PersonalHistory = module.PersonalHistory(redis, await database())
        return history

    return opened


async def history_writer(database: LazyDatabase) -> HistoryWriter:
    module = await asyncio.to_thread(import_module, "bot.history.writer")
    writer: HistoryWriter = module.HistoryWriter(await database())
    return writer


async def is_away(error: Exception) -> bool:
    """Whether the database can't be written now."""
    module = await asyncio.to_thread(import_module, "bot.history.failures")
    return bool(module.is_away(error))


async def shorten(database: LazyDatabase, days: int) -> int:
    """Let the history forget what is older than so many days; gives how many rows."""
    module = await asyncio.to_thread(import_module, "bot.history.retention")
    return int(await module.forget_old(await database(), days))

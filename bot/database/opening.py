"""The database of a process: opened with the schema that this version of Recado needs, or not at all."""

from __future__ import annotations

from bot.database.engine import Database, open_database
from bot.database.upgrade import missing_steps, upgrade
from bot.database.version import SchemaOutdated

__all__ = ["SchemaOutdated", "open_current"]


async def open_current(url: str) -> Database:
    """Open the database. SQLite is brought up to date at once, PostgreSQL only by `recado db upgrade`.

    Raises SchemaOutdated.
    """
    database = open_database(url)
    try:
        await _require_current(database)
    except BaseException:
        await database.close()
        raise
    return database


async def _require_current(database: Database) -> None:
    steps = await missing_steps(database)
    if steps and database.is_postgresql:
        raise SchemaOutdated(len(steps))
    if steps:
        await upgrade(database)

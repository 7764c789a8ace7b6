"""The database's schema, and whether it is the one that this version of Recado needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.database.advisory_locks import AdvisoryLock, hold
from bot.database.engine import Database

_FOLDER = Path(__file__).with_name("migrations")


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


async def upgrade(database: Database) -> None:
    """Bring the schema up to date; nothing happens where it is. Two processes at once wait for each other."""
    async with database.writing() as connection:
        await hold(connection, AdvisoryLock.SCHEMA)
        await connection.run_sync(lambda inner: command.upgrade(_config(inner), "head"))


async def missing_steps(database: Database) -> list[str]:
    """Steps that the database still lacks, the first to do first; empty where it is up to date."""
    async with database.reading() as connection:
        current = await connection.run_sync(lambda inner: MigrationContext.configure(inner).get_current_revision())
    steps = _steps()
    if current is None:
        return list(steps)
    return list(steps[steps.index(current) + 1 :]) if current in steps else []


@cache
def _steps() -> tuple[str, ...]:
    """The steps of this version, the first to do first; read once, because reading them loads each of their files."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.walk_revisions("base", "heads"))[::-1]

"""Version of PostgreSQL's schema, asked at the start of a process without loading what works with the database."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import structlog

from bot.settings import DatabaseSettings

_log = structlog.get_logger()
_FOLDER = Path(__file__).with_name("migrations") / "versions"
_SECONDS = 5.0
_DRIVER = re.compile(r"^postgres(?:ql)?(?:\+\w+)?://")


class SchemaOutdated(Exception):
    """PostgreSQL's schema is not the one that this version needs; the text says what to do."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"the database lacks {missing} steps of its schema; run `recado db upgrade`, then start again")
        self.missing = missing


async def refuse_outdated(settings: DatabaseSettings) -> None:
    """Raise SchemaOutdated where PostgreSQL lacks steps. SQLite is brought up to date at its first use.

    A database that does not answer stops no start, because customers are answered without it.
    """
    if not settings.is_postgresql:
        return
    try:
        current = await _current(_DRIVER.sub("postgresql://", settings.url.get_secret_value()))
    except (OSError, TimeoutError) as error:
        _log.warning("database_not_reached", error=type(error).__name__, fix="see DATABASE_URL; the history waits")
        return
    steps = [path.name[:4] for path in _FOLDER.glob("[0-9]*_*.py")]
    # A newer one is that of a newer Recado, whose steps this version can work with.
    if missing := sum(step > current for step in steps):
        raise SchemaOutdated(missing)


async def _current(url: str) -> str:
    """The newest step that was done; empty where none was. Raises OSError where nobody answers."""
    import asyncpg  # noqa: PLC0415 - only where PostgreSQL is used

    try:
        async with asyncio.timeout(_SECONDS):
            connection = await asyncpg.connect(url)
            try:
                return str(await connection.fetchval("SELECT version_num FROM alembic_version") or "")
            finally:
                connection.terminate()
    except asyncpg.UndefinedTableError:
        return ""
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ConnectionError(type(error).__name__) from error

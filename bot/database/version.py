"""Version of the schema at the start of a process, without loading what works with the database."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import closing, suppress
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


async def require_current(settings: DatabaseSettings) -> None:
    """Bring SQLite up to date; raise SchemaOutdated if PostgreSQL lacks steps.

    A database that does not answer stops no start, because customers are answered without it.
    """
    url = settings.url.get_secret_value()
    if not settings.is_postgresql:
        if await asyncio.to_thread(_version_of_file, Path(url.removeprefix("sqlite:///"))) < _steps()[-1]:
            await _upgrade(url)
        return
    try:
        current = await _current(_DRIVER.sub("postgresql://", url))
    except (OSError, TimeoutError) as error:
        _log.warning("database_not_reached", error=type(error).__name__, fix="see DATABASE_URL; the history waits")
        return
    # A newer one is that of a newer Recado, whose steps this version can work with.
    if missing := sum(step > current for step in _steps()):
        raise SchemaOutdated(missing)


def _steps() -> list[str]:
    return sorted(path.name[:4] for path in _FOLDER.glob("[0-9]*_*.py"))


def _version_of_file(file: Path) -> str:
    """The newest step that was done in this file; empty where there is none, or it can't be read."""
    import sqlite3  # noqa: PLC0415 - only where SQLite is used

    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    except sqlite3.Error:
        return ""
    return str(version)


async def _upgrade(url: str) -> None:
    """Upgrade in a separate process, because this one shall not keep in memory what an upgrade loads."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "db", "upgrade"),
        env=os.environ | {"DATABASE_URL": url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        code = await process.wait()
    finally:
        # A start that is interrupted leaves no process behind; an upgrade is one transaction.
        with suppress(ProcessLookupError):
            process.kill()
    if code:
        _log.warning("database_not_upgraded", fix="see `recado db upgrade`; the history waits")


async def _current(url: str) -> str:
    """The newest step that was done; empty where none was. Raises OSError if nobody answers."""
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

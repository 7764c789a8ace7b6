"""Databases for tests that run on both kinds: an empty file of SQLite, or a new database of a real PostgreSQL."""

from __future__ import annotations

from itertools import count

import pytest
from sqlalchemy.engine import make_url

from bot.database.engine import open_database
from bot.database.upgrade import upgrade

# One process starts PostgreSQL, and runs all its tests.
BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")))
_numbers = count(1)
_upgraded_servers: set[str] = set()
_DELETE_ALL = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', one.tablename);
  END LOOP;
END $$
"""


async def _statement(url: str, statement: str) -> None:
    database = open_database(url)
    try:
        async with database.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.exec_driver_sql(statement)
    finally:
        await database.close()


async def _upgraded(url: str) -> None:
    database = open_database(url)
    await upgrade(database)
    await database.close()


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def empty_database(server: str) -> str:
    """The address of a database with the newest schema and without rows: always the same one of this server."""
    url = _named(server, "upgraded")
    if server in _upgraded_servers:
        # A new database would take half a second for each test.
        await _statement(url, _DELETE_ALL)
    else:
        await _statement(server, "CREATE DATABASE upgraded")
        await _upgraded(url)
        _upgraded_servers.add(server)
    return url


async def new_database(server: str) -> str:
    """The address of a new database, without a schema."""
    name = f"test_{next(_numbers)}"
    await _statement(server, f"CREATE DATABASE {name}")
    return _named(server, name)

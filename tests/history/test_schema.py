"""The schema that migrations make, beside the tables that the code knows."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from bot.database.engine import Database
from bot.database.schema import METADATA
from bot.history import tables
from bot.people.tables import OPERATORS

# Made by the migrations for the search alone.
_SEARCH = ("messages_words", "contacts_parts", "ix_messages_words", "ix_contacts_folded", "words")


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"include_object": _is_ours})
    found: list[Any] = compare_metadata(context, METADATA)
    return found


def _is_ours(_: Any, name: str | None, kind: str, *__: Any) -> bool:
    return not (name or "").startswith(_SEARCH) and (kind != "table" or name in METADATA.tables)


async def test_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    assert tables.MESSAGES.metadata is OPERATORS.metadata is METADATA
    async with database.reading() as connection:
        assert await connection.run_sync(_differences) == []

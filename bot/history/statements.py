"""Upserts for SQLite and PostgreSQL, whose SQLAlchemy dialects each have their own `INSERT ... ON CONFLICT`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Rows = Sequence[dict[str, Any]]


async def upsert(  # noqa: PLR0913 - a table's upsert has these parts
    connection: AsyncConnection,
    table: Table,
    rows: Rows,
    *,
    key: Iterable[str],
    replace: Iterable[str] = (),
    fill: Iterable[str] = (),
    prefer: Iterable[str] = (),
    where: ColumnElement[bool] | None = None,
) -> None:
    """Insert rows; update a row whose `key` columns are in the table already.

    In an update, `replace` columns take the new value. `fill` columns take it only if they are NULL. `prefer` columns
    take it unless it is NULL. Without all three, a row that is there stays as it is. `where` restricts updates.
    """
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement: Any = insert(table)
    new = statement.excluded
    changes = {name: new[name] for name in replace}
    changes |= {name: func.coalesce(table.c[name], new[name]) for name in fill}
    changes |= {name: func.coalesce(new[name], table.c[name]) for name in prefer}
    if changes:
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=changes, where=where)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    await connection.execute(statement, list(rows))

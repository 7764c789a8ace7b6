"""Upserts for SQLite and PostgreSQL, whose SQLAlchemy dialects each have their own `INSERT ... ON CONFLICT`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Executable, Table, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Rows = Sequence[dict[str, Any]]


async def upsert(  # noqa: PLR0913 - a table's upsert has these parts
    connection: AsyncConnection,
    table: Table,
    rows: Rows,
    *,
    key: tuple[str, ...],
    replace: tuple[str, ...] = (),
    fill: tuple[str, ...] = (),
    prefer: tuple[str, ...] = (),
    where: ColumnElement[bool] | None = None,
) -> None:
    """Insert rows; update a row whose `key` columns are in the table already.

    In an update, `replace` columns take the new value. `fill` columns take it only if they are NULL. `prefer` columns
    take it unless it is NULL. Without all three, a row that is there stays as it is. `where` restricts updates.
    """
    if rows:
        statement = _upsert(connection.dialect.name, table, key, replace, fill, prefer, where)
        await connection.execute(statement, list(rows))


# Made once: SQLAlchemy takes longer to make a statement, and to find its compiled form, than to fill in a few rows.
@cache
def _upsert(  # noqa: PLR0913, PLR0917 - as above
    dialect: str,
    table: Table,
    key: tuple[str, ...],
    replace: tuple[str, ...],
    fill: tuple[str, ...],
    prefer: tuple[str, ...],
    where: ColumnElement[bool] | None,
) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Any = insert(table)
    new = statement.excluded
    changes = {name: new[name] for name in replace}
    changes |= {name: func.coalesce(table.c[name], new[name]) for name in fill}
    changes |= {name: func.coalesce(new[name], table.c[name]) for name in prefer}
    if changes:
        return cast("Executable", statement.on_conflict_do_update(index_elements=key, set_=changes, where=where))
    return cast("Executable", statement.on_conflict_do_nothing(index_elements=key))

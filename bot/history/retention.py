"""The end of the history: rows that are older than HISTORY_DAYS leave it, some at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, literal_column, select

from bot.database.engine import Database
from bot.history import tables

_AT_ONCE = 1000
# Longer than any entry can be late.
_TOMBSTONE = timedelta(days=400)


async def forget_old(database: Database, days: int, *, now: datetime | None = None) -> int:
    """Delete what is older than so many days, and conversations in which nothing is newer; gives how many rows.

    Each transaction is short, because the writer waits for it. Confirmed products stay, because they name nobody.
    """
    before = (now or datetime.now(UTC)) - timedelta(days=days)
    count = 0
    for table in tables.BY_CONVERSATION:
        while some := await _delete_some(database, table, table.c.at < before):
            count += some
    while some := await _forget_conversations(database, before):
        count += some
    erased = tables.ERASED
    return count + await _delete_some(database, erased, erased.c.at < before - _TOMBSTONE)


async def _delete_some(database: Database, table: Any, condition: Any) -> int:
    # The number that both databases give to a row, whatever its key is.
    row: ColumnElement[Any] = literal_column("ctid" if database.is_postgresql else "rowid")
    async with database.writing() as connection:
        some = select(row).select_from(table).where(condition).limit(_AT_ONCE)
        return int((await connection.execute(delete(table).where(row.in_(some)))).rowcount)


async def _forget_conversations(database: Database, before: datetime) -> int:
    table = tables.CONVERSATIONS
    async with database.writing() as connection:
        old = select(table.c.id).where(table.c.last_at < before).order_by(table.c.last_at).limit(_AT_ONCE)
        names = list((await connection.execute(old)).scalars())
        for people in (tables.CONTACTS, tables.LABELS):
            await connection.execute(delete(people).where(people.c.conversation.in_(names)))
        await connection.execute(delete(table).where(table.c.id.in_(names)))
    return len(names)

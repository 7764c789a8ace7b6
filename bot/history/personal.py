"""History of one person: all of it as JSON, and its erasure."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import Table, delete, func, select, update

from bot.database.engine import Database
from bot.history import tables
from bot.history.packed_requests import unpack
from bot.history.statements import upsert
from bot.history.stream import HistoryStream
from bot.history.writer import serialized

_BY_NAME: dict[str, Table] = {
    "contacts": tables.CONTACTS,
    "messages": tables.MESSAGES,
    "deliveries": tables.DELIVERIES,
    "changes": tables.CHANGES,
    "turns": tables.TURNS,
    "handovers": tables.HANDOVERS,
    "notes": tables.NOTES,
    "labels": tables.LABELS,
}


_READ_AT_ONCE = 10
# FTS5 keeps the words of deleted rows until it merges the parts of its index.
_OPTIMIZE = (
    "INSERT INTO messages_words(messages_words) VALUES ('optimize')",
    "INSERT INTO contacts_parts(contacts_parts) VALUES ('optimize')",
)


class PersonalHistory:
    def __init__(self, redis: Redis, database: Database) -> None:
        self._stream = HistoryStream(redis)
        self._database = database

    async def conversations_of(self, phones: Collection[str], bsuid: str | None) -> list[str]:
        """Conversations of a person whom only the history knows any more."""
        table = tables.CONTACTS
        # Not compared with nothing, because that would find all who have no BSUID.
        known = table.c.phone.in_(phones) | table.c.bsuid.in_([bsuid] if bsuid else [])
        async with self._database.reading() as connection:
            found = await connection.execute(select(table.c.conversation).where(known).order_by(table.c.conversation))
            return list(found.scalars())

    async def export(self, conversations: Collection[str]) -> dict[str, Any]:
        """Rows by table, without empty tables; `waiting` are entries that are not in the database yet."""
        found: dict[str, Any] = {}
        async for name, rows in self.rows(conversations):
            found.setdefault(name, []).extend(rows)
        return found

    async def rows(self, conversations: Collection[str]) -> AsyncGenerator[tuple[str, list[dict[str, Any]]], None]:
        """The export a few rows at a time, because a person may have gigabytes: messages to models repeat the prompts.

        Tables come one after the other.
        """
        states = tables.CONVERSATIONS
        queries = {"conversations": select(states).where(states.c.id.in_(conversations))}
        for name, table in _BY_NAME.items():
            own = select(table).where(table.c.conversation.in_(conversations))
            queries[name] = own.order_by(table.c.at) if "at" in table.c else own
        async with self._database.reading() as connection:
            for name, query in queries.items():
                async with connection.stream(query) as found:
                    async for rows in found.mappings().partitions(_READ_AT_ONCE):
                        yield name, [_row(row) for row in rows]
        if waiting := await self._stream.of(conversations):
            yield "waiting", waiting

    async def count(self, conversations: Collection[str]) -> int:
        """Number of the rows and entries that `rows` gives."""
        states = tables.CONVERSATIONS
        count = select(func.count())
        queries = [count.select_from(states).where(states.c.id.in_(conversations))]
        queries += [
            count.select_from(table).where(table.c.conversation.in_(conversations)) for table in _BY_NAME.values()
        ]
        async with self._database.reading() as connection:
            counts = [(await connection.execute(query)).scalar_one() for query in queries]
        return sum(counts) + len(await self._stream.of(conversations))

    async def erase(self, conversations: Collection[str]) -> int:
        """Delete everything of these conversations; entries of them that are still under way come to nothing.

        Confirmed products stay and forget who captured them.
        """
        count = await self._stream.erase(conversations)
        async with serialized(self._database) as connection:
            if not self._database.is_postgresql:
                await connection.exec_driver_sql("PRAGMA secure_delete=ON")
            now = datetime.now(UTC)
            tombstones = [{"conversation": name, "at": now} for name in sorted(conversations)]
            await upsert(connection, tables.ERASED, tombstones, key=("conversation",))
            for table in _BY_NAME.values():
                count += (
                    await connection.execute(delete(table).where(table.c.conversation.in_(conversations)))
                ).rowcount
            states = tables.CONVERSATIONS
            count += (await connection.execute(delete(states).where(states.c.id.in_(conversations)))).rowcount
            cards = tables.PRODUCT_CARDS
            await connection.execute(
                update(cards).where(cards.c.conversation.in_(conversations)).values(conversation="")
            )
        if not self._database.is_postgresql:
            await self._overwrite()
        return count

    async def _overwrite(self) -> None:
        """Take the deleted words out of SQLite's index and its log too, which keep them for long otherwise."""
        async with serialized(self._database) as connection:
            for statement in _OPTIMIZE:
                await connection.exec_driver_sql(statement)
        async with self._database.engine.connect() as connection:
            # Not within a transaction; another reader may prevent it, and the next erasure or start completes it.
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(name, value) for name, value in row.items() if value is not None}


def _plain(name: str, value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case bytes() if name == "asked":
            return unpack(value)
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return value

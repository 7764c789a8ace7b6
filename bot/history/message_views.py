"""Messages of a page, each with its delivery, its changes and the message that it quotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.history import tables
from bot.history.views import MessageShown

_QUOTE_LENGTH = 300
Row = dict[str, Any]
Place = tuple[str, str]


async def shown(connection: AsyncConnection, rows: Sequence[Row]) -> list[MessageShown]:
    """The rows of messages as they are shown, in their order."""
    if not rows:
        return []
    deliveries = await _deliveries(connection, rows)
    # A message of ours is known to its reader by Meta's name for it; one that Meta never took has none.
    targets = [
        (row["conversation"], delivery["wamid"] if (delivery := deliveries.get(_place(row))) else row["name"])
        for row in rows
    ]
    changes = await _changes(connection, [place for place in targets if place[1]])
    quotes = await _quotes(connection, rows)
    return [
        MessageShown(
            row,
            deliveries.get(_place(row)),
            _reactions(changes.get(target, ())),
            _edits(changes.get(target, ())),
            quotes.get((row["conversation"], row["quoted"])) if row["quoted"] else None,
        )
        for row, target in zip(rows, targets, strict=True)
    ]


def _place(row: Row) -> Place:
    return row["conversation"], row["name"]


def _among(table: Any, column: Any, places: Sequence[Place]) -> Any:
    # The number of places doesn't change the statement's form, so that SQLAlchemy compiles it once.
    return tuple_(table.c.conversation, column).in_(places)


async def _deliveries(connection: AsyncConnection, rows: Sequence[Row]) -> dict[Place, Row]:
    table, ours = tables.DELIVERIES, [_place(row) for row in rows if row["author"] != "customer"]
    if not ours:
        return {}
    found = await connection.execute(select(table).where(_among(table, table.c.name, ours)))
    return {_place(row): row for row in map(dict, found.mappings())}


async def _changes(connection: AsyncConnection, places: Sequence[Place]) -> dict[Place, list[Row]]:
    table = tables.CHANGES
    found: dict[Place, list[Row]] = {}
    if places:
        query = select(table).where(_among(table, table.c.target, places)).order_by(table.c.at)
        for row in map(dict, (await connection.execute(query)).mappings()):
            found.setdefault((row["conversation"], row["target"]), []).append(row)
    return found


async def _quotes(connection: AsyncConnection, rows: Sequence[Row]) -> dict[Place, Row]:
    """Quoted messages, by the wamid that quotes them: `{id, author, kind, text}`."""
    messages, deliveries = tables.MESSAGES, tables.DELIVERIES
    places = [(row["conversation"], row["quoted"]) for row in rows if row["quoted"]]
    if not places:
        return {}
    columns = (messages.c.conversation, messages.c.name, messages.c.author, messages.c.kind, messages.c.body)
    theirs = select(*columns, messages.c.name.label("wamid")).where(_among(messages, messages.c.name, places))
    joined = and_(deliveries.c.conversation == messages.c.conversation, deliveries.c.name == messages.c.name)
    ours = (
        select(*columns, deliveries.c.wamid)
        .select_from(deliveries.join(messages, joined))
        .where(_among(deliveries, deliveries.c.wamid, places))
    )
    found = [*(await connection.execute(theirs)).mappings(), *(await connection.execute(ours)).mappings()]
    return {(row["conversation"], row["wamid"]): _quote(row) for row in found}


def _quote(row: Mapping[str, Any]) -> Row:
    text = (row["body"] or "")[:_QUOTE_LENGTH] or None
    return {"id": row["name"], "author": row["author"], "kind": row["kind"], "text": text}


def _reactions(changes: Sequence[Row]) -> tuple[Row, ...]:
    """The last reaction of each side; one that was taken back is none."""
    last = {row["author"]: row for row in changes if row["kind"] == "reaction"}
    return tuple(
        {"emoji": row["value"], "author": row["author"], "at": row["at"].isoformat()}
        for row in last.values()
        if row["value"]
    )


def _edits(changes: Sequence[Row]) -> tuple[Row, ...]:
    return tuple({"at": row["at"].isoformat(), "before": row["before"]} for row in changes if row["kind"] == "edit")

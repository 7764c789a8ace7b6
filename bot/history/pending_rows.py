"""Rows of a batch of entries, gathered first and then written with one statement for each table.

Every write may come twice, and in any order: a row is found by its key, and each column says below which value stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.history import revisions, tables
from bot.history.state import ConversationState
from bot.history.statements import upsert

Row = dict[str, Any]

_BY_NAME, _BY_ID = ("conversation", "name"), ("conversation", "id")
# Columns of a message that come with the message itself, and not with what is learnt about it later.
_OF_MESSAGE = ("at", "author", "author_name", "kind", "body", "payload", "quoted", "turn", "state")
# Made once, because `upsert` keeps its statements by these conditions.
_NOT_DELETED = tables.MESSAGES.c.deleted_at.is_(None)
_NOT_YET_COME = tables.MESSAGES.c.kind.is_(None) & _NOT_DELETED
# The column of `deliveries` with the time of each status.
_STATUS_TIMES = {
    "sent": "sent_at", "delivered": "delivered_at", "read": "read_at", "played": "played_at", "failed": "failed_at",
}  # fmt: skip


@dataclass(slots=True)
class PendingRows:
    """Rows for each table; `read` completes messages by their turn, and `statuses` are by the status's name."""

    messages: list[Row] = field(default_factory=list)
    read: list[Row] = field(default_factory=list)
    sent: list[Row] = field(default_factory=list)
    statuses: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    changes: list[Row] = field(default_factory=list)
    turns: list[Row] = field(default_factory=list)
    handovers: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    cards: list[Row] = field(default_factory=list)

    async def write(self, connection: AsyncConnection, states: Mapping[str, ConversationState]) -> None:
        """Write the rows, then apply edits and deletions, which also change the last text in `states`."""
        await self._write_messages(connection)
        await self._write_deliveries(connection)
        await upsert(connection, tables.CHANGES, self.changes, key=_BY_NAME)
        await upsert(connection, tables.TURNS, self.turns, key=_BY_ID)
        await upsert(connection, tables.HANDOVERS, self.handovers, key=_BY_ID)
        await upsert(connection, tables.NOTES, self.notes, key=_BY_ID)
        await upsert(connection, tables.PRODUCT_CARDS, self.cards, key=("product", "version"))
        await revisions.apply(connection, self.messages, self.changes, self.turns, states)

    async def _write_messages(self, connection: AsyncConnection) -> None:
        messages = tables.MESSAGES
        # All rows of a statement need the same columns.
        complete = [dict.fromkeys(_OF_MESSAGE) | row for row in self.messages]
        # If its turn or an edit was written first, the message fills that row. Later copies change nothing, because
        # then the row has a `kind`.
        fill = tuple(column for column in _OF_MESSAGE if column != "at")
        await upsert(connection, messages, complete, key=_BY_NAME, replace=("at",), fill=fill, where=_NOT_YET_COME)
        await upsert(
            connection, messages, self.read, key=_BY_NAME, replace=("state",), prefer=("turn", "transcript", "file"),
            where=_NOT_DELETED,
        )  # fmt: skip

    async def _write_deliveries(self, connection: AsyncConnection) -> None:
        """Write what became of sent parts; the first time of each status stays, in whatever order statuses come."""
        deliveries = tables.DELIVERIES
        await upsert(connection, deliveries, self.sent, key=_BY_NAME, fill=("wamid", "failed_at", "error", "why"))
        for status, noted in self.statuses.items():
            column = _STATUS_TIMES.get(status)
            timed = [row | ({column: row["at"]} if column else {}) for row in noted]
            fill = ("wamid", "error", "price_type", "price_category", *((column,) if column else ()))
            await upsert(connection, deliveries, timed, key=_BY_NAME, fill=fill)

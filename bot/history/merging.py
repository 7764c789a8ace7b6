"""Merges a conversation into another one of the same person: moves its rows, and joins the two states."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.history import tables
from bot.history.state import ConversationState, LastMessage

_STRONGEST = {"person": 3, "waiting": 2, "bot": 1, "closed": 0}


async def move_rows(connection: AsyncConnection, source: str, home: str) -> None:
    """Move the rows of `source` to `home`; a row that `home` has under the same name is not replaced."""
    for table in tables.BY_CONVERSATION:
        name = table.c.name if "name" in table.c else table.c.id
        there = select(name).where(table.c.conversation == home).scalar_subquery()
        moving = table.c.conversation == source
        await connection.execute(update(table).where(moving, name.not_in(there)).values(conversation=home))
        await connection.execute(delete(table).where(moving))
    labels = tables.LABELS
    known = select(labels.c.label).where(labels.c.conversation == home)
    found = await connection.execute(select(labels.c.label).where(labels.c.conversation == source))
    new = set(found.scalars()) - set((await connection.execute(known)).scalars())
    if new:
        await connection.execute(insert(labels), [{"conversation": home, "label": label} for label in sorted(new)])
    await connection.execute(delete(labels).where(labels.c.conversation == source))
    cards = tables.PRODUCT_CARDS
    await connection.execute(update(cards).where(cards.c.conversation == source).values(conversation=home))


def join_states(mine: ConversationState, theirs: ConversationState) -> None:
    """Join `theirs` into `mine`: the newest message, and the state of the one that needs a person most."""
    if theirs.last_name is not None:
        mine.note_last(
            LastMessage(
                theirs.last_at,
                theirs.last_name,
                theirs.last_author or "system",  # type: ignore[arg-type] # a column holds what the union allows
                theirs.last_kind or "text",
                theirs.last_text,
            )
        )
    if _STRONGEST[theirs.state] > _STRONGEST[mine.state]:
        mine.state, mine.state_at, mine.assigned_to = theirs.state, theirs.state_at, theirs.assigned_to
        mine.waiting_since, mine.closed_at = theirs.waiting_since, None
    for name in ("last_inbound_at", "answered_until", "seen_until"):
        times = [time for time in (getattr(mine, name), getattr(theirs, name)) if time is not None]
        setattr(mine, name, max(times, default=None))
    mine.created_at = min(mine.created_at, theirs.created_at)
    theirs.merged_into = mine.id
    mine.is_changed = theirs.is_changed = True

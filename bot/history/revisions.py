"""Applies edits and deletions to messages, which may come after their message or before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.history import tables
from bot.history.state import ConversationState

_CHANGES, _MESSAGES, _TURNS = tables.CHANGES, tables.MESSAGES, tables.TURNS
Row = Mapping[str, Any]


async def apply(
    connection: AsyncConnection,
    messages: Sequence[Row],
    changes: Sequence[Row],
    turns: Sequence[Row],
    states: Mapping[str, ConversationState],
) -> None:
    """Apply new changes to their messages, and earlier changes to messages that came later."""
    targets = {(row["conversation"], row["name"]) for row in messages}
    targets |= {(row["conversation"], row["target"]) for row in changes if row["kind"] != "reaction"}
    for change in await _known(connection, targets):
        if change["kind"] == "revoke":
            await _revoke(connection, change, states.get(change["conversation"]))
        else:
            await _edit(connection, change, states.get(change["conversation"]))
    await _forget_traces(connection, turns)


async def _known(connection: AsyncConnection, targets: Collection[tuple[str, str]]) -> list[Row]:
    """Edits and deletions of these messages, in their order."""
    if not targets:
        return []
    query = select(_CHANGES).where(*_among(_CHANGES.c.conversation, _CHANGES.c.target, targets))
    query = query.where(_CHANGES.c.kind.in_(("edit", "revoke"))).order_by(_CHANGES.c.at)
    rows = (await connection.execute(query)).mappings()
    return [dict(row) for row in rows if (row["conversation"], row["target"]) in targets]


def _among(
    conversation: Column[str], name: Column[str], pairs: Iterable[tuple[str, str]]
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Conditions for these pairs, and perhaps a few more. Unlike exact conditions, SQLAlchemy compiles these once."""
    conversations, names = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    return conversation.in_(conversations), name.in_(names)


async def _edit(connection: AsyncConnection, change: Row, state: ConversationState | None) -> None:
    here = _message(change)
    newer = _MESSAGES.c.edited_at.is_(None) | (_MESSAGES.c.edited_at < change["at"])
    fits = and_(here, _MESSAGES.c.kind.is_not(None), _MESSAGES.c.deleted_at.is_(None), newer)
    before = (await connection.execute(select(_MESSAGES.c.body).where(fits))).first()
    if before is None:
        return
    await connection.execute(update(_CHANGES).where(*_itself(change)).values(before=before.body))
    await connection.execute(update(_MESSAGES).where(here).values(body=change["value"], edited_at=change["at"]))
    if state is not None and state.last_name == change["target"]:
        state.last_text, state.is_changed = (change["value"] or "")[:200], True


async def _revoke(connection: AsyncConnection, change: Row, state: ConversationState | None) -> None:
    """Delete the words of a message that its sender took back, from its row and from the traces that repeat them."""
    here = _message(change)
    found = (
        await connection.execute(select(_MESSAGES.c.at, _MESSAGES.c.turn, _MESSAGES.c.deleted_at).where(here))
    ).first()
    if found is None:
        return
    nothing = dict.fromkeys(("body", "transcript", "payload", "file"))
    await connection.execute(update(_MESSAGES).where(here).values(**nothing, deleted_at=change["at"]))
    edits = and_(_CHANGES.c.conversation == change["conversation"], _CHANGES.c.target == change["target"])
    await connection.execute(update(_CHANGES).where(edits, _CHANGES.c.kind == "edit").values(value=None, before=None))
    mine = _TURNS.c.conversation == change["conversation"]
    # Later turns sent this message to the model again, as part of the memory.
    await connection.execute(update(_TURNS).where(mine, _TURNS.c.at >= found.at).values(asked=None))
    if found.turn:
        await connection.execute(update(_TURNS).where(mine, _TURNS.c.id == found.turn).values(trace=None, asked=None))
    if state is not None and state.last_name == change["target"]:
        state.last_text, state.is_changed = None, True


async def _forget_traces(connection: AsyncConnection, turns: Sequence[Row]) -> None:
    """Remove new traces that quote messages which were deleted earlier."""
    about = [
        (row, {(row["conversation"], name) for name in (row["trace"] or {}).get("messages") or []}) for row in turns
    ]
    named = {pair for _, pairs in about for pair in pairs}
    if not named:
        return
    query = select(_MESSAGES.c.conversation, _MESSAGES.c.name)
    query = query.where(*_among(_MESSAGES.c.conversation, _MESSAGES.c.name, named), _MESSAGES.c.deleted_at.is_not(None))
    gone = {(found.conversation, found.name) for found in await connection.execute(query)}
    for row, pairs in about:
        if not gone.isdisjoint(pairs):
            itself = and_(_TURNS.c.conversation == row["conversation"], _TURNS.c.id == row["id"])
            await connection.execute(update(_TURNS).where(itself).values(trace=None, asked=None))


def _message(change: Row) -> Any:
    return and_(_MESSAGES.c.conversation == change["conversation"], _MESSAGES.c.name == change["target"])


def _itself(change: Row) -> tuple[Any, Any]:
    return _CHANGES.c.conversation == change["conversation"], _CHANGES.c.name == change["name"]

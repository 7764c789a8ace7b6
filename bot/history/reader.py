"""Reads of the history: lists, conversations, messages, turns, and the search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Select, case, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database
from bot.database.schema import Timestamp
from bot.history import search, tables
from bot.history.cursors import WrongCursor, cursor, read_cursor
from bot.history.message_views import shown
from bot.history.packed_requests import unpack
from bot.history.views import (
    ConversationPage,
    ConversationShown,
    FoundMessage,
    MessagePage,
    MessageShown,
    PersonShown,
    TurnShown,
)
from bot.messages.outbound import StoredFile

Filter = Literal["waiting", "person", "bot", "closed", "mine", "unassigned"]

MOST_AT_ONCE = 200
# Conversations and messages that one search looks at.
_MOST_PEOPLE = 200
_MOST_HITS = 200
_CONVERSATIONS, _CONTACTS, _MESSAGES = tables.CONVERSATIONS, tables.CONTACTS, tables.MESSAGES


class HistoryReader:
    """Reads follow a conversation to the one that it has joined."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def conversations(  # noqa: PLR0913 - a list has these filters
        self,
        *,
        state: Filter | None = None,
        q: str = "",
        labels: Sequence[str] = (),
        me: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> ConversationPage:
        """A page of conversations, the newest first; of those that wait for a person, the longest wait first.

        `me` is who `mine` means. Raises WrongCursor.
        """
        limit = max(1, min(limit, MOST_AT_ONCE))
        longest_first = state == "waiting"
        query = _listed(state, me, labels)
        sort = _CONVERSATIONS.c.waiting_since if longest_first else _CONVERSATIONS.c.last_at
        place = tuple_(sort, _CONVERSATIONS.c.id)
        if after:
            at, last = read_cursor(after)
            end = tuple_(literal(at, Timestamp()), literal(str(last)))
            query = query.where(place > end if longest_first else place < end)
        ordered = (
            (sort.asc(), _CONVERSATIONS.c.id.asc()) if longest_first else (sort.desc(), _CONVERSATIONS.c.id.desc())
        )
        async with self._database.reading() as connection:
            if q.strip():
                found = await self._conversations_with(connection, q, postgresql=self._database.is_postgresql)
                query = query.where(_CONVERSATIONS.c.id.in_(found))
            rows = (await connection.execute(query.order_by(*ordered).limit(limit + 1))).mappings().all()
            page = await _with_labels(connection, [dict(row) for row in rows[:limit]])
        last_shown = page[-1] if len(rows) > limit else None
        return ConversationPage(tuple(page), _next(last_shown, by_wait=longest_first))

    @staticmethod
    async def _conversations_with(connection: AsyncConnection, q: str, *, postgresql: bool) -> set[str]:
        """Conversations in which a search finds something: the person, or a message."""
        people = search.people_with(q, _MOST_PEOPLE, postgresql=postgresql)
        found = set((await connection.execute(people)).scalars())
        words = search.words_of_query(q)
        if words:
            newest = await search.newest_with(connection, words, _MOST_HITS)
            query = select(_MESSAGES.c.conversation).where(_MESSAGES.c.seq.in_(newest))
            found |= set((await connection.execute(query)).scalars())
        return found

    async def conversation(self, name: str) -> ConversationShown | None:
        """The conversation; None if there is none of this name."""
        async with self._database.reading() as connection:
            home = await _home(connection, name)
            rows = (await connection.execute(_selected().where(_CONVERSATIONS.c.id == home))).mappings().all()
            found = await _with_labels(connection, [dict(row) for row in rows])
        return found[0] if found else None

    async def messages(self, conversation: str, *, before: str | None = None, limit: int = 50) -> MessagePage:
        """The newest messages before a cursor, in their order. Raises WrongCursor."""
        limit = max(1, min(limit, MOST_AT_ONCE))
        async with self._database.reading() as connection:
            home = await _home(connection, conversation)
            query = select(_MESSAGES).where(_MESSAGES.c.conversation == home, _MESSAGES.c.kind.is_not(None))
            if before:
                at, seq = read_cursor(before)
                end = tuple_(literal(at, Timestamp()), literal(_number(seq)))
                query = query.where(tuple_(_MESSAGES.c.at, _MESSAGES.c.seq) < end)
            newest = query.order_by(_MESSAGES.c.at.desc(), _MESSAGES.c.seq.desc()).limit(limit + 1)
            rows = [dict(row) for row in (await connection.execute(newest)).mappings()]
            page = rows[:limit][::-1]
            older = cursor(page[0]["at"], page[0]["seq"]) if len(rows) > limit else None
            return MessagePage(tuple(await shown(connection, page)), older)

    async def file_of(self, conversation: str, message: str) -> StoredFile | None:
        """The file of a message in the storage; None if none was kept."""
        async with self._database.reading() as connection:
            home = await _home(connection, conversation)
            query = select(_MESSAGES).where(_MESSAGES.c.conversation == home, _MESSAGES.c.name == message)
            row = (await connection.execute(query)).mappings().first()
        media = MessageShown(dict(row)).media if row is not None else None
        if media is None or media["key"] is None:
            return None
        return StoredFile(key=media["key"], mime=media["mime"] or "", filename=media["filename"])

    async def turn(self, id_: str, conversation: str | None = None) -> TurnShown | None:
        """A turn by its id; `conversation` tells apart two of one id, which are rarer than one in a million."""
        turns = tables.TURNS
        query = select(turns).where(turns.c.id == id_).order_by(turns.c.at.desc())
        async with self._database.reading() as connection:
            if conversation:
                query = query.where(turns.c.conversation == await _home(connection, conversation))
            row = (await connection.execute(query.limit(1))).mappings().first()
        if row is None:
            return None
        sent = unpack(row["asked"]) if row["asked"] else []
        return TurnShown(row["id"], row["conversation"], row["at"], row["release"], row["trace"], sent)

    async def traces(self, conversation: str, count: int, until: datetime | None = None) -> list[dict[str, Any]]:
        """The traces of the last turns (those that closed by `until`), oldest first."""
        turns = tables.TURNS
        async with self._database.reading() as connection:
            home = await _home(connection, conversation)
            query = select(turns.c.trace).where(turns.c.conversation == home, turns.c.trace.is_not(None))
            query = query if until is None else query.where(turns.c.at <= until)
            found = await connection.execute(query.order_by(turns.c.at.desc()).limit(min(count, MOST_AT_ONCE)))
            return [trace for trace in found.scalars() if trace][::-1]

    async def notes(self, conversation: str) -> list[dict[str, Any]]:
        """Private notes, oldest first: `{id, at, author, text, mentions}`."""
        return await self._rows_of(tables.NOTES, conversation)

    async def handovers(self, conversation: str) -> list[dict[str, Any]]:
        """Changes of who answers, oldest first: `{id, at, action, operator, assigned_to, reason}`."""
        return await self._rows_of(tables.HANDOVERS, conversation)

    async def _rows_of(self, table: Any, conversation: str) -> list[dict[str, Any]]:
        async with self._database.reading() as connection:
            home = await _home(connection, conversation)
            query = select(table).where(table.c.conversation == home).order_by(table.c.at, table.c.id)
            rows = (await connection.execute(query.limit(1000))).mappings().all()
        return [
            {name: _plain(value) for name, value in row.items() if name != "conversation"} for row in map(dict, rows)
        ]

    async def product_cards(self, *, checked: bool | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """Confirmed product cards, the newest first."""
        cards = tables.PRODUCT_CARDS
        query = select(cards).order_by(cards.c.at.desc()).limit(max(1, min(limit, MOST_AT_ONCE)))
        if checked is not None:
            query = query.where(cards.c.checked.is_(checked))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [{name: _plain(value) for name, value in row.items()} for row in map(dict, rows)]

    async def search(self, q: str, *, limit: int = 50) -> list[FoundMessage]:
        """The newest messages that hold all words of a search."""
        words = search.words_of_query(q)
        if not words:
            return []
        async with self._database.reading() as connection:
            limit = max(1, min(limit, MOST_AT_ONCE))
            newest = await search.newest_with(connection, words, limit)
            query = select(_MESSAGES).where(_MESSAGES.c.seq.in_(newest)).order_by(_MESSAGES.c.seq.desc())
            rows = [dict(row) for row in (await connection.execute(query)).mappings()]
            messages = await shown(connection, rows)
            people = await _people(connection, {row["conversation"] for row in rows})
        return [
            FoundMessage(message.row["conversation"], people.get(message.row["conversation"], PersonShown()), message)
            for message in messages
        ]

    async def counts(self, me: str) -> dict[str, int]:
        """Numbers of conversations to look at: those that wait, the person's own, and those that nobody has."""
        table = _CONVERSATIONS.c
        mine = case((table.assigned_to == me, 1), else_=0)
        free = case((table.assigned_to.is_(None), 1), else_=0)
        waiting = case((table.state == "waiting", 1), else_=0)
        query = select(func.sum(waiting), func.sum(mine), func.sum(free)).where(
            table.state.in_(("waiting", "person")), table.merged_into.is_(None)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one()
        return dict(zip(("waiting", "mine", "unassigned"), (int(value or 0) for value in row), strict=True))

    async def labels(self) -> list[str]:
        """Labels in use."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(tables.LABELS.c.label).distinct().order_by(tables.LABELS.c.label))
            return list(found.scalars())


def _selected() -> Select[Any]:
    people = (_CONTACTS.c.name, _CONTACTS.c.phone, _CONTACTS.c.bsuid, _CONTACTS.c.language, _CONTACTS.c.ad)
    joined = _CONVERSATIONS.outerjoin(_CONTACTS, _CONTACTS.c.conversation == _CONVERSATIONS.c.id)
    return select(_CONVERSATIONS, *people).select_from(joined).where(_CONVERSATIONS.c.merged_into.is_(None))


def _listed(state: Filter | None, me: str | None, labels: Sequence[str]) -> Select[Any]:
    query = _selected()
    match state:
        case "mine":
            query = query.where(_CONVERSATIONS.c.assigned_to == me, _CONVERSATIONS.c.state != "closed")
        case "unassigned":
            open_ = _CONVERSATIONS.c.state.in_(("waiting", "person"))
            query = query.where(open_, _CONVERSATIONS.c.assigned_to.is_(None))
        case "waiting" | "person" | "bot" | "closed":
            query = query.where(_CONVERSATIONS.c.state == state)
        case None:
            pass
    for label in labels:
        having = select(tables.LABELS.c.conversation).where(tables.LABELS.c.label == label)
        query = query.where(_CONVERSATIONS.c.id.in_(having))
    return query


def _next(last: ConversationShown | None, *, by_wait: bool) -> str | None:
    if last is None:
        return None
    at = last.waiting_since if by_wait else last.last_at
    return cursor(at or datetime.fromtimestamp(0, UTC), last.id)


async def _home(connection: AsyncConnection, name: str) -> str:
    """The conversation that this one has joined; itself, as a rule."""
    for _ in range(20):
        query = select(_CONVERSATIONS.c.merged_into).where(_CONVERSATIONS.c.id == name)
        joined = (await connection.execute(query)).scalar()
        if not joined:
            break
        name = joined
    return name


async def _with_labels(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> list[ConversationShown]:
    labels: dict[str, list[str]] = {}
    if rows:
        table = tables.LABELS
        query = select(table).where(table.c.conversation.in_([row["id"] for row in rows])).order_by(table.c.label)
        for row in (await connection.execute(query)).mappings():
            labels.setdefault(row["conversation"], []).append(row["label"])
    return [_conversation(row, labels.get(row["id"], ())) for row in rows]


def _conversation(row: dict[str, Any], labels: Iterable[str]) -> ConversationShown:
    last = None
    if row["last_name"] is not None:
        last = {
            "id": row["last_name"],
            "at": row["last_at"].isoformat(),
            "author": row["last_author"],
            "kind": row["last_kind"],
            "text": row["last_text"],
        }
    return ConversationShown(
        id=row["id"],
        contact=PersonShown(row["name"], row["phone"], row["bsuid"]),
        state=row["state"],
        assigned_to=row["assigned_to"],
        unread=row["unread"],
        last_message=last,
        last_at=row["last_at"],
        last_inbound_at=row["last_inbound_at"],
        waiting_since=row["waiting_since"],
        labels=tuple(labels),
        language=row["language"],
        ad=row["ad"],
        created_at=row["created_at"],
        closed_at=row["closed_at"],
    )


async def _people(connection: AsyncConnection, names: set[str]) -> dict[str, PersonShown]:
    rows = await connection.execute(select(_CONTACTS).where(_CONTACTS.c.conversation.in_(names)))
    return {row["conversation"]: PersonShown(row["name"], row["phone"], row["bsuid"]) for row in rows.mappings()}


def _number(last: str | int) -> int:
    if not isinstance(last, int):
        raise WrongCursor("the cursor is not one of this list")
    return last


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value

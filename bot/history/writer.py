"""Writes entries into the database: each changes it once, however often it comes, and in any order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, assert_never

from sqlalchemy import bindparam, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.advisory_locks import AdvisoryLock, hold
from bot.database.engine import Database
from bot.history import merging, revisions, tables
from bot.history.contact_facts import ContactFacts
from bot.history.entries import (
    CardConfirmed,
    ConversationMerged,
    Entry,
    HandOver,
    LabelsChanged,
    MessageReceived,
    NoteAdded,
    PartSent,
    ReplyQueued,
    StatusNoted,
    TurnClosed,
    TurnTraced,
)
from bot.history.rows import (
    author_of_inbound,
    author_of_reply,
    card_row,
    change_row,
    is_change,
    message_row,
    part_row,
    rating_row,
    sent_row,
    status_row,
    turn_of,
    turn_row,
)
from bot.history.state import Author, ConversationState, LastMessage
from bot.history.statements import upsert
from bot.history.texts import transcript_of
from bot.messages.rating import rating_of

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_UNREAD = 100
_STATUS_TIMES = {
    "sent": "sent_at", "delivered": "delivered_at", "read": "read_at", "played": "played_at", "failed": "failed_at",
}  # fmt: skip


_STATE = tuple(column.name for column in tables.CONVERSATIONS.c if column.name not in ("id", "unread"))
_FILLED = ("at", "author", "author_name", "kind", "body", "payload", "quoted", "turn", "state")
_NOT_DELETED = tables.MESSAGES.c.deleted_at.is_(None)
_NOT_COME = tables.MESSAGES.c.kind.is_(None) & _NOT_DELETED


def _unread() -> Any:
    """The number of the customer's messages in a conversation that nobody has read, a hundred at most."""
    table, home = tables.MESSAGES, tables.CONVERSATIONS.c
    news = select(table.c.seq).where(table.c.conversation == home.id, table.c.author == "customer")
    for read_until in (home.answered_until, home.seen_until):
        news = news.where(or_(read_until.is_(None), table.c.at > read_until))
    newest = news.where(table.c.kind != "rating").limit(_MOST_UNREAD).correlate(tables.CONVERSATIONS).subquery()
    return case((home.merged_into.is_(None), select(func.count()).select_from(newest).scalar_subquery()), else_=0)


_COUNT_UNREAD = (
    update(tables.CONVERSATIONS)
    .where(tables.CONVERSATIONS.c.id.in_(bindparam("changed", expanding=True)))
    .values(unread=_unread())
)


@asynccontextmanager
async def serialized(database: Database, patience: float | None = None) -> AsyncIterator[AsyncConnection]:
    """A transaction at a time over all workers, so that no batch misses what another is about to commit."""
    async with database.writing(patience) as connection:
        await hold(connection, AdvisoryLock.HISTORY)
        yield connection


class HistoryWriter:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entries: Sequence[Entry], patience: float | None = None) -> None:
        """Write entries in one transaction, all of them or none; gives up after `patience` seconds of a lock."""
        async with serialized(self._database, patience) as connection:
            batch = _Batch(connection)
            await batch.open({entry.conversation for entry in entries})
            for entry in entries:
                await batch.take(entry)
            await batch.close()


@dataclass(slots=True)
class _Rows:
    """Rows of a batch that are not written yet."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    read: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    changes: list[dict[str, Any]] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    handovers: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    cards: list[dict[str, Any]] = field(default_factory=list)


class _Batch:
    """A transaction's entries: states change in memory, rows gather, and both are written at the end."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._states: dict[str, ConversationState] = {}
        self._erased: set[str] = set()
        self._contacts = ContactFacts(connection)
        self._rows = _Rows()

    async def open(self, names: set[str]) -> None:
        """Read the states of these conversations, and of those that they have joined."""
        gone = select(tables.ERASED.c.conversation).where(tables.ERASED.c.conversation.in_(names))
        self._erased = set((await self._connection.execute(gone)).scalars())
        await self._load(names)
        await self._contacts.load(set(self._states))

    async def _load(self, names: set[str]) -> None:
        missing = names
        while missing:
            rows = await self._connection.execute(
                select(tables.CONVERSATIONS).where(tables.CONVERSATIONS.c.id.in_(missing))
            )
            found = [ConversationState(**row) for row in rows.mappings()]
            self._states |= {state.id: state for state in found}
            missing = {state.merged_into for state in found if state.merged_into} - self._states.keys()

    def _home(self, name: str) -> str:
        """The conversation that this one has joined; itself, as a rule."""
        while (known := self._states.get(name)) is not None and known.merged_into:
            name = known.merged_into
        return name

    def _state(self, name: str, at: datetime) -> ConversationState:
        return self._states.setdefault(
            name, ConversationState(id=name, state="bot", state_at=_BEGINNING, last_at=at, created_at=at)
        )

    async def take(self, entry: Entry) -> None:  # noqa: C901, PLR0912 - one case for each kind
        """Take an entry in; what is not about a conversation's state is only gathered."""
        if entry.conversation in self._erased:
            return
        home = self._home(entry.conversation)
        match entry:
            case MessageReceived():
                self._received(home, entry)
            case TurnClosed():
                self._closed(home, entry)
            case ReplyQueued():
                self._queued(home, entry)
            case PartSent():
                self._sent(home, entry)
            case StatusNoted():
                self._rows.statuses[entry.status].append(status_row(home, entry))
            case TurnTraced():
                self._rows.turns.append(turn_row(home, entry))
            case HandOver():
                self._hand_over(home, entry)
            case NoteAdded(id=id_, at=at, author=author, text=text, mentions=mentions):
                note = {"conversation": home, "id": id_, "at": at, "author": author, "text": text}
                self._rows.notes.append(note | {"mentions": list(mentions)})
            case LabelsChanged():
                await self._label(home, entry)
            case CardConfirmed():
                self._rows.cards.append(card_row(home, entry))
            case ConversationMerged(source=source):
                await self._merge(home, source, entry.at)
            case _:
                assert_never(entry)

    def _received(self, home: str, entry: MessageReceived) -> None:
        message, state = entry.message, self._state(home, entry.at)
        author = author_of_inbound(message)
        if is_change(message.content):
            self._rows.changes.append(change_row(home, message, author))
            return
        row = message_row(home, message, author, entry.state)
        rating = rating_of(message.content) if author == "customer" else None
        if rating is not None:
            row["kind"] = "rating"
            self._rows.changes.append(rating_row(home, message, rating))
        self._rows.messages.append(row)
        if author != "system":
            state.note_last(LastMessage(row["at"], row["name"], author, row["kind"], row["body"]))
        if author == "customer":
            if rating is not None:
                state.customer_rated(message.sent_at)
            else:
                state.customer_wrote(row["at"], sent_at=message.sent_at)
            self._contacts.learn(home, message)
        elif author == "operator":
            state.colleague_wrote(row["at"])

    def _closed(self, home: str, entry: TurnClosed) -> None:
        for name, read in entry.messages.items():
            row = {"conversation": home, "name": name, "at": entry.at, "state": read.state, "file": read.file}
            self._rows.read.append(row | {"turn": entry.turn, "transcript": transcript_of(read.text)})
        self._contacts.learn_language(home, entry.language)

    def _queued(self, home: str, entry: ReplyQueued) -> None:
        author, who = author_of_reply(entry.reply)
        state = self._state(home, entry.at)
        for index, part in enumerate(entry.reply.parts):
            row = part_row(home, f"{entry.reply.id}.{index}", entry.at, part, entry.words)
            self._rows.messages.append(row | {"author": author, "author_name": who, "turn": turn_of(entry.reply.id)})
            state.note_last(LastMessage(entry.at, row["name"], author, row["kind"], row["body"]))
        self._contacts.learn_address(home, entry.reply)
        self._wrote(state, author, entry.at)

    @staticmethod
    def _wrote(state: ConversationState, author: Author, at: datetime) -> None:
        if author == "assistant":
            state.assistant_wrote(at)
        elif author == "operator":
            state.operator_wrote(at)

    def _sent(self, home: str, entry: PartSent) -> None:
        self._rows.sent.append(sent_row(home, entry))
        if entry.part is not None:
            row = part_row(home, entry.id, entry.at, entry.part, None)
            self._rows.messages.append(row | {"author": "assistant", "author_name": None, "turn": turn_of(entry.id)})

    def _hand_over(self, home: str, entry: HandOver) -> None:
        state = self._state(home, entry.at)
        row = {"conversation": home, "id": entry.id, "at": entry.at, "action": entry.action}
        row |= {"operator": entry.operator, "assigned_to": entry.assigned_to, "reason": entry.reason}
        if entry.action != "seen":
            self._rows.handovers.append(row)
        match entry.action:
            case "asked":
                state.change("waiting", entry.at)
            case "taken":
                state.change("person", entry.at, entry.assigned_to or entry.operator)
                state.was_seen(entry.at)
            case "given_back":
                state.change("bot", entry.at)
            case "closed":
                state.change("closed", entry.at)
            case "assigned":
                state.assign(entry.at, entry.assigned_to)
            case "seen":
                state.was_seen(entry.at)
            case _:
                assert_never(entry.action)

    async def _label(self, home: str, entry: LabelsChanged) -> None:
        rows = [{"conversation": home, "label": label} for label in entry.add]
        await upsert(self._connection, tables.LABELS, rows, key=("conversation", "label"))
        if entry.remove:
            table = tables.LABELS
            await self._connection.execute(
                delete(table).where(table.c.conversation == home, table.c.label.in_(entry.remove))
            )

    async def _merge(self, home: str, source: str, at: datetime) -> None:
        """Move the rows of a conversation that has joined, with what this batch knows of both."""
        if source not in self._states:
            await self._load({source})
        await self._flush()
        mine, theirs = self._state(home, at), self._state(source, at)
        if home not in (theirs.merged_into, source):
            await merging.move_rows(self._connection, source, home)
            await self._contacts.join(home, source)
            merging.join_states(mine, theirs)

    async def close(self) -> None:
        """Write what has gathered, and the states last."""
        await self._flush()
        changed = [state for state in self._states.values() if state.is_changed]
        rows = [state.row() for state in changed]
        await upsert(self._connection, tables.CONVERSATIONS, rows, key=("id",), replace=_STATE)
        if changed:
            await self._connection.execute(_COUNT_UNREAD, {"changed": [state.id for state in changed]})
        await self._contacts.write()

    async def _flush(self) -> None:
        rows, self._rows = self._rows, _Rows()
        connection = self._connection
        by_name, by_id = ("conversation", "name"), ("conversation", "id")
        messages = tables.MESSAGES
        # A message that came before fills the row that news of it have made; a second copy of it changes nothing.
        plain = [dict.fromkeys(_FILLED) | row for row in rows.messages]
        await upsert(connection, messages, plain, key=by_name, replace=("at",), fill=_FILLED[1:], where=_NOT_COME)
        await upsert(
            connection, messages, rows.read, key=by_name, replace=("state",), prefer=("turn", "transcript", "file"),
            where=_NOT_DELETED,
        )  # fmt: skip
        await self._write_deliveries(rows)
        await upsert(connection, tables.CHANGES, rows.changes, key=by_name)
        await upsert(connection, tables.TURNS, rows.turns, key=by_id)
        await upsert(connection, tables.HANDOVERS, rows.handovers, key=by_id)
        await upsert(connection, tables.NOTES, rows.notes, key=by_id)
        await upsert(connection, tables.PRODUCT_CARDS, rows.cards, key=("product", "version"))
        await revisions.apply(connection, rows.messages, rows.changes, rows.turns, self._states)

    async def _write_deliveries(self, rows: _Rows) -> None:
        """Each status keeps its first time, whatever came before or after it."""
        by_name, table = ("conversation", "name"), tables.DELIVERIES
        await upsert(self._connection, table, rows.sent, key=by_name, fill=("wamid", "failed_at", "error", "why"))
        for status, noted in rows.statuses.items():
            column = _STATUS_TIMES.get(status)
            timed = [row | ({column: row["at"]} if column else {}) for row in noted]
            fill = ("wamid", "error", "price_type", "price_category", *((column,) if column else ()))
            await upsert(self._connection, table, timed, key=by_name, fill=fill)

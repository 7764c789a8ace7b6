"""Entries of one transaction: conversations' states change in memory, rows are gathered, and close() writes both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, assert_never

from sqlalchemy import bindparam, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.history import merging, tables
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
from bot.history.pending_rows import PendingRows
from bot.history.rows import (
    LONGEST_NAME,
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
from bot.history.state import ConversationState, LastMessage
from bot.history.statements import upsert
from bot.history.texts import transcript_of
from bot.messages.rating import rating_of

# The state of a conversation before its first entry.
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_UNREAD = 100
_STATE_COLUMNS = tuple(column.name for column in tables.CONVERSATIONS.c if column.name not in ("id", "unread"))


def _unread_count() -> Any:
    """SQL for the number of a customer's messages in a conversation that nobody has read or answered, at most 100."""
    messages, conversation = tables.MESSAGES, tables.CONVERSATIONS.c
    unread = select(messages.c.seq).where(
        messages.c.conversation == conversation.id, messages.c.author == "customer", messages.c.kind != "rating"
    )
    for read_until in (conversation.answered_until, conversation.seen_until):
        unread = unread.where(or_(read_until.is_(None), messages.c.at > read_until))
    newest = unread.limit(_MOST_UNREAD).correlate(tables.CONVERSATIONS).subquery()
    count = select(func.count()).select_from(newest).scalar_subquery()
    return case((conversation.merged_into.is_(None), count), else_=0)


_COUNT_UNREAD = (
    update(tables.CONVERSATIONS)
    .where(tables.CONVERSATIONS.c.id.in_(bindparam("changed", expanding=True)))
    .values(unread=_unread_count())
)


class EntryBatch:
    """Entries between open() and close(), all within one transaction of the connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._states: dict[str, ConversationState] = {}
        self._erased: set[str] = set()
        self._contacts = ContactFacts(connection)
        self._rows = PendingRows()

    async def open(self, names: set[str]) -> None:
        """Read the states of these conversations, and of the conversations that they were merged into."""
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
        """The conversation that this one was merged into, over several merges; usually itself."""
        while (known := self._states.get(name)) is not None and known.merged_into:
            name = known.merged_into
        return name

    def _state(self, name: str, at: datetime) -> ConversationState:
        return self._states.setdefault(
            name, ConversationState(id=name, state="bot", state_at=_BEGINNING, last_at=at, created_at=at)
        )

    async def take(self, entry: Entry) -> None:  # noqa: C901, PLR0912 - one case for each kind
        """Change the state of the entry's conversation, and gather its rows. Entries of erased people are dropped."""
        if entry.conversation in self._erased:
            return
        home = self._home(entry.conversation)
        match entry:
            case MessageReceived():
                self._add_received(home, entry)
            case TurnClosed():
                self._add_closed(home, entry)
            case ReplyQueued():
                self._add_queued(home, entry)
            case PartSent():
                self._add_sent(home, entry)
            case StatusNoted():
                self._rows.statuses[entry.status].append(status_row(home, entry))
            case TurnTraced():
                self._rows.turns.append(turn_row(home, entry))
            case HandOver():
                self._add_hand_over(home, entry)
            case NoteAdded(id=id_, at=at, author=author, text=text, mentions=mentions):
                note = {"conversation": home, "id": id_, "at": at, "author": author, "text": text}
                self._rows.notes.append(note | {"mentions": list(mentions)})
            case LabelsChanged():
                await self._change_labels(home, entry)
            case CardConfirmed():
                self._rows.cards.append(card_row(home, entry))
            case ConversationMerged(source=source):
                await self._merge(home, source, entry.at)
            case _:
                assert_never(entry)

    def _add_received(self, home: str, entry: MessageReceived) -> None:
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
        if author == "system":
            return
        state.note_last(LastMessage(row["at"], row["name"], author, row["kind"], row["body"]))
        if author == "operator":
            state.colleague_wrote(row["at"])
            return
        if rating is not None:
            state.customer_rated(message.sent_at)
        else:
            state.customer_wrote(row["at"], sent_at=message.sent_at)
        self._contacts.learn(home, message)

    def _add_closed(self, home: str, entry: TurnClosed) -> None:
        for name, read in entry.messages.items():
            row = {"conversation": home, "name": name[:LONGEST_NAME], "at": entry.at}
            row |= {"state": read.state, "file": read.file}
            self._rows.read.append(row | {"turn": entry.turn, "transcript": transcript_of(read.text)})
        self._contacts.learn_language(home, entry.language)

    def _add_queued(self, home: str, entry: ReplyQueued) -> None:
        author, who = author_of_reply(entry.reply)
        state = self._state(home, entry.at)
        for index, part in enumerate(entry.reply.parts):
            row = part_row(home, f"{entry.reply.id}.{index}", entry.at, part, entry.words)
            self._rows.messages.append(row | {"author": author, "author_name": who, "turn": turn_of(entry.reply.id)})
            state.note_last(LastMessage(entry.at, row["name"], author, row["kind"], row["body"]))
        self._contacts.learn_address(home, entry.reply)
        if author == "assistant":
            state.assistant_wrote(entry.at)
        elif author == "operator":
            state.operator_wrote(entry.at)

    def _add_sent(self, home: str, entry: PartSent) -> None:
        self._rows.sent.append(sent_row(home, entry))
        if entry.part is not None:
            row = part_row(home, entry.id, entry.at, entry.part, None)
            self._rows.messages.append(row | {"author": "assistant", "author_name": None, "turn": turn_of(entry.id)})

    def _add_hand_over(self, home: str, entry: HandOver) -> None:
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

    async def _change_labels(self, home: str, entry: LabelsChanged) -> None:
        rows = [{"conversation": home, "label": label} for label in entry.add]
        await upsert(self._connection, tables.LABELS, rows, key=("conversation", "label"))
        if entry.remove:
            table = tables.LABELS
            await self._connection.execute(
                delete(table).where(table.c.conversation == home, table.c.label.in_(entry.remove))
            )

    async def _merge(self, home: str, source: str, at: datetime) -> None:
        """Move a merged conversation's rows to its new home, and join the states; pending rows are written first."""
        if source not in self._states:
            await self._load({source})
        await self._write_rows()
        mine, theirs = self._state(home, at), self._state(source, at)
        if home not in (theirs.merged_into, source):
            await merging.move_rows(self._connection, source, home)
            await self._contacts.join(home, source)
            merging.join_states(mine, theirs)

    async def close(self) -> None:
        """Write the gathered rows, then the changed states and what was learnt of contacts."""
        await self._write_rows()
        changed = [state for state in self._states.values() if state.is_changed]
        rows = [state.row() for state in changed]
        await upsert(self._connection, tables.CONVERSATIONS, rows, key=("id",), replace=_STATE_COLUMNS)
        if changed:
            await self._connection.execute(_COUNT_UNREAD, {"changed": [state.id for state in changed]})
        await self._contacts.write()

    async def _write_rows(self) -> None:
        rows, self._rows = self._rows, PendingRows()
        await rows.write(self._connection, self._states)

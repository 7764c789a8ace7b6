"""Entries of the stream that feeds the history. Each records one event, under its own id."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from bot.messages.inbound import Inbound
from bot.messages.outbound import Part, Reply
from bot.messages.record import Record

VERSION = 1


class Noted(Record):
    """The fields of every entry. An entry that is written twice has the same `id`."""

    version: int = VERSION
    id: str
    conversation: str
    at: AwareDatetime


class MessageReceived(Noted):
    """A received message; `state` is its end state, if it was ended by the webhook already."""

    kind: Literal["received"] = "received"
    message: Inbound
    state: str = "open"


class MessageRead(Record):
    """The outcome of a message: its end state, and the text that was heard or seen in its file."""

    state: str
    text: str | None = None
    file: str | None = None


class TurnClosed(Noted):
    """The close of a turn: what became of its messages, by wamid, and the language of their sender.

    Messages that ask for no answer have no `turn`.
    """

    kind: Literal["closed"] = "closed"
    turn: str | None = None
    messages: dict[str, MessageRead]
    language: str | None = None


class ReplyQueued(Noted):
    """A reply in the outbox; `words` are those of a template that was filled in."""

    kind: Literal["queued"] = "queued"
    reply: Reply
    words: str | None = None


class PartSent(Noted):
    """A part of a reply that Meta accepted (`wamid`), or that will never leave (`why`, and Meta's code)."""

    kind: Literal["sent"] = "sent"
    part: Part | None = None
    wamid: str | None = None
    why: str | None = None
    error: int | None = None


class StatusNoted(Noted):
    """A status of Meta about a part of ours."""

    kind: Literal["status"] = "status"
    wamid: str
    status: str
    error: int | None = None
    pricing: tuple[str, str] | None = None


class TurnTraced(Noted):
    """The trace of a turn, and the messages to models (JSON, compressed, as base64)."""

    kind: Literal["turn"] = "turn"
    trace: dict[str, Any]
    release: str = ""
    asked: str | None = None


HandOverAction = Literal["asked", "taken", "given_back", "closed", "assigned", "seen"]


class HandOver(Noted):
    """A change of who answers. `asked` is the assistant's call for a person, the others are acts of an operator."""

    kind: Literal["desk"] = "desk"
    action: HandOverAction
    operator: str | None = None
    assigned_to: str | None = None
    reason: str | None = None


class NoteAdded(Noted):
    """A private note of an operator."""

    kind: Literal["note"] = "note"
    author: str
    text: str
    mentions: tuple[str, ...] = ()


class LabelsChanged(Noted):
    kind: Literal["labels"] = "labels"
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class ConversationMerged(Noted):
    """Another conversation of the same person has joined this one."""

    kind: Literal["merged"] = "merged"
    source: str


class CardConfirmed(Noted):
    """A version of a product, as a tap confirmed it."""

    kind: Literal["card"] = "card"
    product: str
    product_version: int
    fields: dict[str, str]
    previous: dict[str, str | None] = Field(default_factory=dict)
    photos: tuple[str, ...] = ()


Entry = (
    MessageReceived
    | TurnClosed
    | ReplyQueued
    | PartSent
    | StatusNoted
    | TurnTraced
    | HandOver
    | NoteAdded
    | LabelsChanged
    | ConversationMerged
    | CardConfirmed
)
_entry: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


def read_entry(raw: str) -> Entry:
    """Parse an entry. Raises ValidationError for one of a newer version of Recado."""
    return _entry.validate_json(raw)

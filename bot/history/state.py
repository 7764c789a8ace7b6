"""The state of a conversation in the history, as events change it in any order."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

State = Literal["bot", "waiting", "person", "closed"]
Author = Literal["customer", "assistant", "operator", "system"]
_SHORT = 200


@dataclass(slots=True)
class LastMessage:
    """The newest message of a conversation, as a list of conversations shows it."""

    at: datetime
    name: str
    author: Author
    kind: str
    text: str | None


@dataclass(slots=True)
class ConversationState:
    """A row of `conversations`; `is_changed` says that it has to be written.

    Because events may come late or twice, each method keeps the newer value, so that their order doesn't matter.
    """

    id: str
    state: State
    state_at: datetime
    last_at: datetime
    created_at: datetime
    assigned_to: str | None = None
    unread: int = 0
    last_name: str | None = None
    last_author: str | None = None
    last_kind: str | None = None
    last_text: str | None = None
    last_inbound_at: datetime | None = None
    waiting_since: datetime | None = None
    answered_until: datetime | None = None
    seen_until: datetime | None = None
    closed_at: datetime | None = None
    merged_into: str | None = None
    is_changed: bool = field(default=False, compare=False)

    def row(self) -> dict[str, Any]:
        return {column.name: getattr(self, column.name) for column in fields(self) if column.name != "is_changed"}

    def note_last(self, message: LastMessage) -> None:
        """Keep the newest message."""
        self.is_changed = True
        self.created_at = min(self.created_at, message.at)
        if self.last_name is not None and message.at < self.last_at:
            return
        self.last_at, self.last_name, self.last_author = message.at, message.name, message.author
        self.last_kind, self.last_text = message.kind, (message.text or "")[:_SHORT] or None

    def customer_wrote(self, at: datetime, *, sent_at: datetime) -> None:
        """Restart Meta's 24-hour window, by Meta's time. A closed conversation goes back to the bot."""
        self.last_inbound_at = _later(self.last_inbound_at, sent_at)
        if self.state == "closed" and at > self.state_at:
            self.change("bot", at)
        elif self.state in ("waiting", "person") and self.waiting_since is None and self._is_news(at):
            self.waiting_since = at
        self.is_changed = True

    def customer_rated(self, sent_at: datetime) -> None:
        """Restart Meta's 24-hour window. A closed conversation stays closed, because a rating asks for nothing."""
        self.last_inbound_at = _later(self.last_inbound_at, sent_at)
        self.is_changed = True

    def assistant_wrote(self, at: datetime) -> None:
        """Note an answer of the assistant, which also ends the pause after a colleague wrote from WhatsApp's app."""
        if self.state == "person" and self.assigned_to is None and at > self.state_at:
            self.change("bot", at)
        if self.state == "bot":
            self.answered_until = _later(self.answered_until, at)
            self.is_changed = True

    def operator_wrote(self, at: datetime) -> None:
        """Note an operator's message: they have read all earlier ones, and the customer waits no longer."""
        self.seen_until = _later(self.seen_until, at)
        if self.waiting_since is not None and self.waiting_since <= at:
            self.waiting_since = None
        self.is_changed = True

    def colleague_wrote(self, at: datetime) -> None:
        """Note a message from WhatsApp's app: a person answers, but no operator of the console."""
        self.operator_wrote(at)
        if self.state != "person":
            self.change("person", at)

    def was_seen(self, at: datetime) -> None:
        self.seen_until = _later(self.seen_until, at)
        self.is_changed = True

    def change(self, state: State, at: datetime, assigned_to: str | None = None) -> None:
        """Change who answers, unless a later change is known."""
        if at < self.state_at:
            return
        if state == "waiting" and self.state in ("waiting", "person"):
            # After a second request for a person, the time of the first counts.
            return
        self.state, self.state_at, self.assigned_to, self.is_changed = state, at, assigned_to, True
        if state == "waiting":
            self.waiting_since = at
        elif state in ("bot", "closed"):
            self.waiting_since = None
        self.closed_at = at if state == "closed" else None

    def assign(self, at: datetime, assigned_to: str | None) -> None:
        """Give the conversation to an operator, or to nobody; who answers stays as it is."""
        if at >= self.state_at:
            self.assigned_to, self.is_changed = assigned_to, True

    def _is_news(self, at: datetime) -> bool:
        """Whether a message is newer than the current state, and than the last message that a person saw."""
        return at > self.state_at and (self.seen_until is None or at > self.seen_until)


def _later(known: datetime | None, other: datetime) -> datetime:
    return other if known is None else max(known, other)

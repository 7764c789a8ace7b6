"""Views of the history for people: conversations, messages and turns as the reader gives them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.history.unsent import reason_code
from bot.whatsapp.errors import fix_for

# Meta's window for free text, counted from the customer's last message.
_WINDOW = timedelta(hours=24)
_MEDIA = frozenset(
    {
        "voice",
        "photo",
        "video",
        "document",
        "sticker",
        "picture",
        "attachment",
        "voice_note",
        "sent_video",
        "sent_sticker",
    }
)
_STATUSES = ("played", "read", "delivered", "sent")


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


@dataclass(frozen=True, slots=True)
class PersonShown:
    """Names and numbers of somebody, as far as known."""

    name: str | None = None
    phone: str | None = None
    bsuid: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ConversationShown:
    """A conversation in a list. `unread` counts up to a hundred."""

    id: str
    contact: PersonShown
    state: str
    assigned_to: str | None
    unread: int
    last_message: dict[str, Any] | None
    last_at: datetime
    last_inbound_at: datetime | None
    waiting_since: datetime | None
    labels: tuple[str, ...] = ()
    language: str | None = None
    ad: str | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def window_closes_at(self) -> datetime | None:
        """End of the window for free text; None if the customer never wrote."""
        return self.last_inbound_at + _WINDOW if self.last_inbound_at else None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "contact": self.contact.as_json(),
            "state": self.state,
            "assigned_to": self.assigned_to,
            "unread": self.unread,
            "last_message": self.last_message,
            "waiting_since": _iso(self.waiting_since),
            "window_closes_at": _iso(self.window_closes_at),
            "labels": list(self.labels),
        }

    def details(self) -> dict[str, Any]:
        """The conversation by itself, with what no list shows."""
        more = {"language": self.language, "ad": self.ad}
        return self.as_json() | more | {"created_at": _iso(self.created_at), "closed_at": _iso(self.closed_at)}


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """`next` is the cursor of the next page; None at the end."""

    conversations: tuple[ConversationShown, ...]
    next: str | None

    def as_json(self) -> dict[str, Any]:
        return {"conversations": [conversation.as_json() for conversation in self.conversations], "next": self.next}


@dataclass(frozen=True, slots=True)
class MessageShown:
    """A message with all that is known of it: `row` of the messages, `delivery` of ours, changes, and the quote."""

    row: dict[str, Any]
    delivery: dict[str, Any] | None = None
    reactions: tuple[dict[str, Any], ...] = ()
    edits: tuple[dict[str, Any], ...] = ()
    quoted: dict[str, Any] | None = None

    @property
    def media(self) -> dict[str, Any] | None:
        """The file: its key in the storage (None if it was not kept), type and name."""
        row, payload = self.row, self.row["payload"] or {}
        if row["kind"] not in _MEDIA or row["deleted_at"]:
            return None
        ours = payload.get("file") or {}
        return {
            "key": row["file"] or ours.get("key"),
            "mime": payload.get("mime") or ours.get("mime"),
            "filename": payload.get("filename") or ours.get("filename"),
            "media_id": payload.get("media_id"),
        }

    @property
    def status(self) -> str | None:
        """The furthest state of a message of ours: queued, sent, delivered, read, played or failed."""
        if self.row["author"] == "customer" or (self.row["author"] == "operator" and self.delivery is None):
            return None if self.row["state"] else "queued"
        known = self.delivery or {}
        reached = next((name for name in _STATUSES if known.get(f"{name}_at")), None)
        if known.get("failed_at") and reached in (None, "sent"):
            return "failed"
        return reached or ("sent" if known.get("wamid") else "queued")

    @property
    def error(self) -> dict[str, Any] | None:
        """Why a message of ours did not arrive, and what to do about it."""
        if self.status != "failed" or self.delivery is None:
            return None
        code, why = self.delivery["error"], self.delivery["why"]
        remedy = None if code is None else fix_for(code)
        return {"code": code, "reason": reason_code(why), "why": why, "remedy": remedy}

    def as_json(self) -> dict[str, Any]:
        row, delivery = self.row, self.delivery or {}
        return {
            "id": row["name"],
            "at": _iso(row["at"]),
            "author": row["author"],
            "author_name": row["author_name"],
            "kind": row["kind"],
            "text": row["body"],
            "transcript": row["transcript"],
            "payload": row["payload"],
            "media": self.media,
            "quoted": self.quoted,
            "turn": row["turn"],
            "state": row["state"],
            "status": self.status,
            "statuses": {name: _iso(at) for name in (*_STATUSES, "failed") if (at := delivery.get(f"{name}_at"))},
            "error": self.error,
            "reactions": list(self.reactions),
            "edits": list(self.edits),
            "edited_at": _iso(row["edited_at"]),
            "deleted_at": _iso(row["deleted_at"]),
        }


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages in their order, the oldest first; `before` is the cursor of older ones, None at the beginning."""

    messages: tuple[MessageShown, ...]
    before: str | None

    def as_json(self) -> dict[str, Any]:
        return {"messages": [message.as_json() for message in self.messages], "before": self.before}


@dataclass(frozen=True, slots=True)
class TurnShown:
    """Why the assistant said something: its trace, and the exact messages to the models, while they are kept."""

    id: str
    conversation: str
    at: datetime
    release: str | None
    trace: dict[str, Any] | None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        about = {"id": self.id, "conversation": self.conversation, "at": _iso(self.at), "release": self.release}
        return about | {"trace": self.trace, "asked": self.asked}


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message that a search found."""

    conversation: str
    contact: PersonShown
    message: MessageShown

    def as_json(self) -> dict[str, Any]:
        return {
            "conversation": self.conversation,
            "contact": self.contact.as_json(),
            "message": self.message.as_json(),
        }

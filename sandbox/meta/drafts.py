"""Notifications to begin with, for somebody who writes one by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from sandbox.meta.acceptance import new_wamid
from sandbox.meta.parties import Person
from sandbox.meta.simulator import MetaSimulator
from sandbox.meta.webhooks import Value, envelope, message_value, status_value, unix_seconds

DraftKind = Literal["text", "status", "account", "unknown"]


def draft(meta: MetaSimulator, person: Person, kind: DraftKind) -> Value:
    """A whole notification of this kind, about this person."""
    return _DRAFTS[kind](meta, person)


def shown_in_chats(meta: MetaSimulator, notification: Any) -> None:
    """Show the messages of a notification in the chats of people who are known here."""
    for message in _messages(notification):
        sender = {"phone": message.get("from"), "bsuid": message.get("from_user_id")}
        person = meta.chats.find(**{name: value for name, value in sender.items() if isinstance(value, str)})
        wamid, kind = message.get("id"), message.get("type")
        if person and isinstance(wamid, str) and isinstance(kind, str) and not meta.chats.knows(wamid, None):
            meta.chats.received(person, message, meta.clock())


def _messages(notification: Any) -> list[dict[str, Any]]:
    """The messages of a notification of any shape."""
    found: list[dict[str, Any]] = []
    for entry in _dicts(notification.get("entry")):
        for change in _dicts(entry.get("changes")):
            value = change.get("value")
            found += _dicts(value.get("messages")) if isinstance(value, dict) else []
    return found


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _text(meta: MetaSimulator, person: Person) -> Value:
    message = {"id": new_wamid(), "timestamp": unix_seconds(meta.clock()), "type": "text", "text": {"body": "Hola"}}
    return envelope(meta.business, [message_value(meta.business, person, message)])


def _status(meta: MetaSimulator, person: Person) -> Value:
    last = next((event["wamid"] for event in reversed(meta.history(person)) if event["direction"] == "out"), None)
    error = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Message undeliverable."}}
    told = {"id": last or new_wamid(), "status": "failed", "timestamp": unix_seconds(meta.clock()), "errors": [error]}
    return envelope(meta.business, [status_value(meta.business, person, told)])


def _account(meta: MetaSimulator, _: Person) -> Value:
    value = {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}
    return envelope(meta.business, [value], "account_update", meta.clock())


def _unknown(meta: MetaSimulator, person: Person) -> Value:
    value = {"messaging_product": "whatsapp", "contacts": [person.as_contact()], "news": [{"id": "1"}]}
    return envelope(meta.business, [value], "a_field_of_tomorrow", meta.clock())


_DRAFTS: dict[DraftKind, Callable[[MetaSimulator, Person], Value]] = {
    "text": _text,
    "status": _status,
    "account": _account,
    "unknown": _unknown,
}

"""Meta's webhook bodies into our words: every entry, change, message and status, and nothing fatal (reference 1-3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.messages import Inbound, Status
from bot.whatsapp.content import content_of
from bot.whatsapp.loose import digits, items, mapping, number, text

_NEWS = (
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
    "message_template_components_update",
)
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp's first year: anything older is not a time of a message
_LATEST_AHEAD = timedelta(days=1)  # clocks differ; a message from the future would stay the newest of all


class NotJSON(ValueError):
    """The body is not a JSON document."""


@dataclass(slots=True)
class Notification:
    """What one POST said; `news` are fields about the account and its templates with their values.

    `unknown` names the fields and shapes that we accept without understanding them.
    """

    messages: list[Inbound] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    news: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def parse(body: bytes, now: datetime) -> Notification:
    """All of a notification; a broken item is counted as unknown and never costs the others."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotJSON("the body is not JSON") from error
    found = Notification()
    if mapping(document).get("object") != "whatsapp_business_account":
        found.unknown.append("object")
        return found
    for change in _changes(document):
        if change.get("field") == "messages":
            _read(mapping(change.get("value")), found, now)
        elif change.get("field") in _NEWS:
            found.news.append((change["field"], mapping(change.get("value"))))
        else:
            found.unknown.append(text(change.get("field")) or "change")
    return found


def _changes(document: Any) -> Iterator[dict[str, Any]]:
    for entry in items(mapping(document).get("entry")):
        for change in items(mapping(entry).get("changes")):
            yield mapping(change)


def _read(value: dict[str, Any], found: Notification, now: datetime) -> None:
    metadata = mapping(value.get("metadata"))
    contacts = [mapping(contact) for contact in items(value.get("contacts"))]
    for raw in items(value.get("messages")):
        message = _message(mapping(raw), metadata, contacts, now)
        if message is None:
            found.unknown.append("message")
        else:
            found.messages.append(message)
    for raw in items(value.get("statuses")):
        status = _status(mapping(raw))
        if status is None:
            found.unknown.append("status")
        else:
            found.statuses.append(status)
    if items(value.get("errors")):
        found.unknown.append("errors")


def _message(
    raw: dict[str, Any], metadata: dict[str, Any], contacts: list[dict[str, Any]], now: datetime
) -> Inbound | None:
    wamid, phone, bsuid = text(raw.get("id")), digits(raw.get("from")), text(raw.get("from_user_id"))
    contact = _contact_of(phone, bsuid, contacts)
    phone = phone or digits(contact.get("wa_id"))
    bsuid = bsuid or text(contact.get("user_id"))
    if not wamid or not (phone or bsuid) or phone == digits(metadata.get("display_phone_number"), "-"):
        return None
    context = mapping(raw.get("context"))
    return Inbound(
        id=wamid,
        phone=phone,
        bsuid=bsuid,
        name=text(mapping(contact.get("profile")).get("name")),
        phone_number_id=text(metadata.get("phone_number_id")) or "",
        sent_at=_time(raw.get("timestamp"), now),
        received_at=now,
        quoted=text(context.get("id")),
        forwarded=bool(context.get("forwarded") or context.get("frequently_forwarded")),
        group_id=text(raw.get("group_id")),
        content=content_of(raw),
    )


def _contact_of(phone: str | None, bsuid: str | None, contacts: list[dict[str, Any]]) -> dict[str, Any]:
    for contact in contacts:
        same_bsuid = bsuid is not None and contact.get("user_id") == bsuid
        if same_bsuid or (phone is not None and contact.get("wa_id") == phone):
            return contact
    # Only where the message itself says nothing may a lone contact stand in for its sender.
    return contacts[0] if len(contacts) == 1 and phone is None and bsuid is None else {}


def _status(raw: dict[str, Any]) -> Status | None:
    wamid, status = text(raw.get("id")), text(raw.get("status"))
    if not wamid or not status or raw.get("type") not in (None, "message"):
        return None
    errors = items(raw.get("errors"))
    code = number(mapping(errors[0]).get("code")) if errors else None
    callback = text(raw.get("biz_opaque_callback_data"))
    pricing = mapping(raw.get("pricing"))
    charged = (text(pricing.get("type")) or "unknown", text(pricing.get("category")) or "unknown")
    return Status(
        wamid=wamid,
        status=status,
        callback=callback,
        error=int(code) if code is not None else None,
        pricing=charged if pricing else None,
    )


def _time(value: Any, now: datetime) -> datetime:
    seconds = number(value)
    try:
        at = datetime.fromtimestamp(seconds, UTC) if seconds is not None else now
    except (OverflowError, ValueError, OSError):
        return now
    return at if _EARLIEST <= at <= now + _LATEST_AHEAD else now

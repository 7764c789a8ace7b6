"""Parser of Meta's webhook bodies: reads every entry, change, message and status, and no oddity is fatal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bot.messages.inbound import Content, Inbound, Referral, Status, Text
from bot.whatsapp.account_updates import context_summary
from bot.whatsapp.content import content_of, missed_call, unvouched, vouched_phone
from bot.whatsapp.lenient_json import (
    code,
    digits,
    identifier,
    items,
    mapping,
    number,
    own_number,
    text,
    without_old_one,
)

_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp's first year: anything older is not a time of a message
_MOST_DIGITS = 40
_LATEST_AHEAD = timedelta(days=1)  # clocks differ; a message from the future would stay the newest of all
# Lists beside the messages of the field `messages`: faults of the account, and taps on links of marketing messages.
_BESIDE_MESSAGES = ("errors", "user_actions")
_BEFORE = "what happened before, as another app of this business summed it up"
_EXEMPT = "paid_exempt"
# WhatsApp's apps let people write a name of 25 signs.
_LONGEST_NAME = 200

Raw = dict[str, Any]


class NotJSON(ValueError):
    """The body is not a JSON document."""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A change that is no message: a webhook field other than `messages`, or the `errors` of the account itself.

    `value` is Meta's JSON. `digest` identifies the change: a dated one that is delivered again has the same digest.
    """

    field: str
    value: Raw
    account: str
    dated: bool
    digest: str
    received_at: datetime


@dataclass(slots=True)
class Notification:
    """Contents of one POST; `unknown` names the shapes that we accept without understanding them."""

    messages: list[Inbound] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    changes: list[AccountChange] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def parse(body: bytes, now: datetime) -> Notification:
    """Parse a notification; a broken item is counted as unknown and never costs the others."""
    try:
        document = _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise NotJSON("the body is not JSON") from error
    found = Notification()
    if mapping(document).get("object") != "whatsapp_business_account":
        found.unknown.append("object")
        return found
    for entry, change in _changes(document):
        _read_change(change, entry, found, now)
    return found


def _read_change(change: Raw, entry: Raw, found: Notification, now: datetime) -> None:
    value = mapping(change.get("value"))
    match text(change.get("field")):
        case "messages":
            _read(value, found, now)
            for name in _BESIDE_MESSAGES:
                if items(value.get(name)):
                    found.changes.append(_change(name, {name: value[name]}, entry, now))
        case "calls":
            _read_calls(value, found, now)
            found.changes.append(_change("calls", value, entry, now))
        case "smb_message_echoes":
            _read_copies(value, value, "echo", found, now)
        case "standby":
            _read_copies(mapping(value.get("standby")), value, "standby", found, now)
        case None:
            found.unknown.append("change")
        case name:
            found.changes.append(_change(name, value, entry, now))


def _integer(written: str) -> int | str:
    """A whole number; longer digits stay a text, because Python would refuse the whole body for them."""
    return int(written) if len(written) <= _MOST_DIGITS else written


# Made once, because json.loads makes one for each call that has options.
_DECODER = json.JSONDecoder(parse_int=_integer)


def _changes(document: Any) -> Iterator[tuple[Raw, Raw]]:
    for raw in items(mapping(document).get("entry")):
        entry = mapping(raw)
        for change in items(entry.get("changes")):
            yield entry, mapping(change)


def _change(name: str, value: Raw, entry: Raw, now: datetime) -> AccountChange:
    account, time = text(entry.get("id")) or "", number(entry.get("time"))
    try:
        canonical = json.dumps([account, time, name, value], sort_keys=True)
    except RecursionError:  # nested as deep as the parser takes: nothing of Meta's
        canonical = json.dumps([account, time, name])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    # Each tap has a time of its own.
    dated = time is not None or name == "user_actions"
    return AccountChange(name, value, account, dated, digest, now)


def _read(value: Raw, found: Notification, now: datetime) -> None:
    around = _Around.of(value)
    for raw in items(value.get("messages")):
        message = _message(mapping(raw), around, now)
        if message is None:
            found.unknown.append("message")
        else:
            found.messages.append(message)
    for raw in items(value.get("statuses")):
        status = _status(mapping(raw), around.metadata)
        if status is None:
            found.unknown.append("status")
        else:
            found.statuses.append(status)


def _read_calls(value: Raw, found: Notification, now: datetime) -> None:
    """Read calls that nobody took: each is a message of the person, and is answered with a text."""
    around = _Around.of(value)
    for raw in map(mapping, items(value.get("calls"))):
        if content := missed_call(raw):
            message = _message(raw, around, now, content=content)
            if message is None:
                found.unknown.append("call")
            else:
                found.messages.append(message)


def _read_copies(
    copies: Raw, value: Raw, aside: Literal["echo", "standby"], found: Notification, now: datetime
) -> None:
    """Read copies of messages that bypass us: of the person, and of the business to the person."""
    if "messages" in copies or "statuses" in copies:
        known = len(found.messages)
        _read(copies | {"metadata": value.get("metadata"), "contacts": value.get("contacts")}, found, now)
        found.messages[known:] = [message.model_copy(update={"aside": aside}) for message in found.messages[known:]]
    around = _Around.of(value)
    for raw in items(copies.get("message_echoes")):
        # On standby the message is one level deeper.
        echo = mapping(raw) | mapping(mapping(raw).get("message"))
        echo |= {"from": echo.get("to"), "from_user_id": echo.get("to_user_id")}
        message = _message(echo, around, now, own=False)
        if message is None:
            found.unknown.append("echo")
        else:
            found.messages.append(message.model_copy(update={"aside": aside, "author": "business", "name": None}))


@dataclass(frozen=True, slots=True)
class _Around:
    """Facts of a batch about all its messages: the receiving number, and the senders by their ids."""

    metadata: Raw
    contacts: list[Raw]
    places: dict[tuple[str, str], int]
    summary: str | None

    @classmethod
    def of(cls, value: Raw) -> _Around:
        contacts = [mapping(contact) for contact in items(value.get("contacts"))]
        places: dict[tuple[str, str], int] = {}
        for place, contact in enumerate(contacts):
            for name in ("user_id", "wa_id"):
                if isinstance(given := contact.get(name), str) and given:
                    places.setdefault((name, given), place)
        return cls(mapping(value.get("metadata")), contacts, places, context_summary(value))

    def contact_of(self, phone: str | None, bsuid: str | None) -> Raw:
        """The first contact with one of these ids, by an index, because a batch may have thousands of both."""
        named = (self.places.get(("user_id", bsuid or "")), self.places.get(("wa_id", phone or "")))
        places = [place for place in named if place is not None]
        if places:
            return self.contacts[min(places)]
        # A lone contact stands in for the sender only if the message itself names none.
        return self.contacts[0] if len(self.contacts) == 1 and phone is None and bsuid is None else {}


def _message(
    raw: Raw, around: _Around, now: datetime, *, own: bool = True, content: Content | None = None
) -> Inbound | None:
    """A message; `own` says that its content is the person's own, and not the business's to them.

    `content` is given where the message itself has none.
    """
    metadata = around.metadata
    wamid, phone, bsuid = identifier(raw.get("id")), digits(raw.get("from")), identifier(raw.get("from_user_id"))
    contact = around.contact_of(phone, bsuid)
    context = mapping(raw.get("context"))
    forwarded = bool(context.get("forwarded") or context.get("frequently_forwarded"))
    content = content or content_of(raw)
    content = content if own and not forwarded else unvouched(content)
    phone = phone or digits(contact.get("wa_id")) or vouched_phone(content)
    bsuid = bsuid or identifier(contact.get("user_id"))
    if not wamid or not (phone or bsuid) or _is_ours(phone, metadata):
        return None
    return Inbound(
        id=wamid,
        phone=phone,
        bsuid=bsuid,
        name=(text(mapping(contact.get("profile")).get("name")) or "")[:_LONGEST_NAME] or None,
        # The number becomes a part of addresses at Meta.
        phone_number_id=digits(metadata.get("phone_number_id")) or "",
        sent_at=_time(raw.get("timestamp"), now),
        received_at=now,
        quoted=text(context.get("id")),
        forwarded=forwarded,
        group_id=text(raw.get("group_id")),
        product=text(mapping(context.get("referred_product")).get("product_retailer_id")),
        referral=_referral(mapping(raw.get("referral"))),
        before=context_summary(raw) or around.summary,
        content=content,
    )


def summarised(  # noqa: PLR0913, PLR0917 - the facts of one message
    summary: str, name: str, phone: str | None, bsuid: str | None, sent_at: datetime, received_at: datetime
) -> Inbound:
    """Another app's summary of the conversation, as a message of its own that is remembered and never answered."""
    content = Text(body=f"({_BEFORE}: {summary})")
    return Inbound(
        id=name,
        phone=phone,
        bsuid=bsuid,
        sent_at=sent_at,
        received_at=received_at,
        author="business",
        aside="standby",
        content=content,
    )


def _is_ours(phone: str | None, metadata: Raw) -> bool:
    """True if the sender is the business's own number; without a phone the sender never is."""
    return phone is not None and without_old_one(phone) == own_number(metadata.get("display_phone_number"))


def _referral(raw: Raw) -> Referral | None:
    if not raw:
        return None
    return Referral(
        source=text(raw.get("source_type")) or "ad",
        headline=text(raw.get("headline")),
        body=text(raw.get("body")),
        url=text(raw.get("source_url")),
        ctwa_clid=text(raw.get("ctwa_clid")),
    )


def _status(raw: Raw, metadata: Raw) -> Status | None:
    wamid, status = identifier(raw.get("id")), text(raw.get("status"))
    if not wamid or not status or raw.get("type") not in (None, "message"):
        return None
    errors = items(raw.get("errors"))
    callback = identifier(raw.get("biz_opaque_callback_data"))
    pricing = mapping(raw.get("pricing"))
    # An exempt message has the type of a charged one.
    exempt = text(pricing.get("subtype")) == _EXEMPT
    kind = _EXEMPT if exempt else text(pricing.get("type")) or "unknown"
    charged = (kind, text(pricing.get("category")) or "unknown")
    return Status(
        wamid=wamid,
        status=status,
        callback=callback,
        error=code(mapping(errors[0]).get("code")) if errors else None,
        pricing=charged if pricing else None,
        # The number becomes a part of addresses at Meta.
        phone_number_id=digits(metadata.get("phone_number_id")) or "",
        phone=digits(raw.get("recipient_id")),
        bsuid=text(raw.get("recipient_user_id")),
    )


def _time(value: Any, now: datetime) -> datetime:
    seconds = number(value)
    try:
        at = datetime.fromtimestamp(seconds, UTC) if seconds is not None else now
    except (OverflowError, ValueError, OSError):
        return now
    return at if _EARLIEST <= at <= now + _LATEST_AHEAD else now

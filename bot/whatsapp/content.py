"""Readers of Meta's message types, one small function a type, and their table (docs/whatsapp.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.messages.inbound import (
    CALL,
    FILE_LOST,
    CallPermission,
    ContactCard,
    ContactCards,
    Content,
    Document,
    Edit,
    Form,
    Location,
    Order,
    Photo,
    Reaction,
    Revoke,
    Sticker,
    System,
    Tap,
    Text,
    Unsupported,
    Video,
    Voice,
)
from bot.whatsapp.lenient_json import code, digits, items, mapping, number, text

# Meta's ids are digits as a rule, but promised are only strings: a voicemail has `wacid.` and base64. The id becomes a
# part of an address, so no id that could lead elsewhere is taken.
_MEDIA_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._~=+:@/-]{0,511}")

# Prefix of the ids of calls, as `wamid.` is of messages.
_OF_A_CALL = "wacid."


def content_of(raw: dict[str, Any]) -> Content:
    """The content; a known type whose insides are missing or odd is as unreadable as an unknown one."""
    kind = text(raw.get("type")) or "unknown"
    reader = _READERS.get(kind)
    error = _error(raw)
    content = reader(raw.get(kind)) if reader and error != FILE_LOST else None
    return content or Unsupported(type=text(mapping(raw.get("unsupported")).get("type")) or kind, error=error)


def _error(raw: dict[str, Any]) -> int | None:
    codes = (code(mapping(error).get("code")) for error in items(raw.get("errors")))
    return next((found for found in codes if found is not None), None)


def _text(raw: Any) -> Content | None:
    body = text(mapping(raw).get("body"))
    return Text(body=body) if body else None


def _media(raw: Any) -> dict[str, Any] | None:
    media_id = text(mapping(raw).get("id"))
    if media_id is None or not _MEDIA_ID.fullmatch(media_id) or ".." in media_id:
        return None
    return {
        "media_id": media_id,
        "mime": text(raw.get("mime_type")) or "",
        "sha256": text(raw.get("sha256")),
        "caption": text(raw.get("caption")),
        "filename": text(raw.get("filename")),
    }


def _voice(raw: Any) -> Content | None:
    media = _media(raw)
    if media is None:
        return None
    # A voicemail has the id of its call, and is recorded even where `voice` is missing.
    return Voice(**media, recorded=bool(raw.get("voice")) or media["media_id"].startswith(_OF_A_CALL))


def _photo(raw: Any) -> Content | None:
    media = _media(raw)
    return Photo(**media) if media else None


def _video(raw: Any) -> Content | None:
    media = _media(raw)
    return Video(**media) if media else None


def _document(raw: Any) -> Content | None:
    media = _media(raw)
    return Document(**media) if media else None


def _sticker(raw: Any) -> Content | None:
    media = _media(raw)
    return Sticker(**media) if media else None


def _location(raw: Any) -> Content | None:
    place = mapping(raw)
    latitude, longitude = number(place.get("latitude")), number(place.get("longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        return None
    return Location(
        latitude=latitude, longitude=longitude, name=text(place.get("name")), address=text(place.get("address"))
    )


def _cards(raw: Any) -> Content | None:
    cards = tuple(_card(mapping(card)) for card in items(raw))
    return ContactCards(cards=cards) if cards else None


def _card(raw: dict[str, Any]) -> ContactCard:
    phones = [mapping(phone) for phone in items(raw.get("phones"))]
    # WhatsApp vouches for a number that it asked for; a card that is passed on has a vcard.
    vouched = raw.get("origin") == "contact_request" and not raw.get("vcard")
    # WhatsApp vouches for `wa_id`, and not for the number as somebody wrote it.
    written = (text((vouched and phone.get("wa_id")) or phone.get("phone")) for phone in phones)
    return ContactCard(
        name=text(mapping(raw.get("name")).get("formatted_name")),
        company=_joined(mapping(raw.get("org")), "company", "department", "title"),
        phones=tuple(phone for phone in written if phone),
        others=_others(raw),
        vouched=vouched,
    )


def _others(raw: dict[str, Any]) -> tuple[str, ...]:
    """Ways to reach somebody beside a phone."""
    emails = (text(mapping(email).get("email")) for email in items(raw.get("emails")))
    pages = (text(mapping(url).get("url")) for url in items(raw.get("urls")))
    places = (
        _joined(mapping(place), "street", "city", "state", "zip", "country") for place in items(raw.get("addresses"))
    )
    return tuple(way for way in (*emails, *pages, *places) if way)


def _joined(raw: dict[str, Any], *names: str) -> str | None:
    return ", ".join(part for part in (text(raw.get(name)) for name in names) if part) or None


def vouched_phone(content: Content) -> str | None:
    """The sender's own number as digits, where they shared it and WhatsApp vouches for it."""
    if not isinstance(content, ContactCards) or len(content.cards) != 1 or not content.cards[0].vouched:
        return None
    phones = {phone for phone in map(digits, content.cards[0].phones) if phone}
    return phones.pop() if len(phones) == 1 else None


def unvouched(content: Content) -> Content:
    """The content as somebody passes it on: a card in it is not of who sends it."""
    if not isinstance(content, ContactCards):
        return content
    return ContactCards(cards=tuple(card.model_copy(update={"vouched": False}) for card in content.cards))


def _interactive(raw: Any) -> Content | None:
    answer = mapping(raw)
    for kind in ("button_reply", "list_reply"):
        choice = mapping(answer.get(kind))
        if tap := text(choice.get("id")):
            return Tap(id=tap, title=text(choice.get("title")) or tap)
    permission = mapping(answer.get("call_permission_reply"))
    if response := text(permission.get("response")):
        return CallPermission(accepted=response == "accept")
    form = mapping(answer.get("nfm_reply"))
    answers = text(form.get("response_json")) or text(form.get("body"))
    return Form(answers=answers) if answers else None


def _button(raw: Any) -> Content | None:
    button = mapping(raw)
    title = text(button.get("text")) or text(button.get("payload"))
    return Tap(id=text(button.get("payload")) or title, title=title) if title else None


def _order(raw: Any) -> Content | None:
    order = mapping(raw)
    lines = tuple(_item(mapping(item)) for item in items(order.get("product_items")))
    return Order(text=text(order.get("text")), items=lines) if lines else None


def _item(raw: dict[str, Any]) -> str:
    return f"{text(raw.get('quantity')) or '1'} x {text(raw.get('product_retailer_id')) or 'unnamed product'}"


def _reaction(raw: Any) -> Content | None:
    target = text(mapping(raw).get("message_id"))
    return Reaction(message_id=target, emoji=text(raw.get("emoji"))) if target else None


def _edit(raw: Any) -> Content | None:
    edit = mapping(raw)
    target = text(edit.get("original_message_id"))
    message = mapping(edit.get("message"))
    body = text(mapping(message.get("text")).get("body"))
    caption = text(mapping(message.get(text(message.get("type")) or "")).get("caption"))
    if not target or not (body or caption):
        return None
    return Edit(message_id=target, body=body or caption or "", caption=not body)


def _revoke(raw: Any) -> Content | None:
    target = text(mapping(raw).get("original_message_id"))
    return Revoke(message_id=target) if target else None


def missed_call(raw: dict[str, Any]) -> Content | None:
    """A call by a person that ended before anybody took it; None for every other event of a call.

    A taken call has a start and a duration (docs/whatsapp.md, Calls).
    """
    ended = text(raw.get("event")) == "terminate" and text(raw.get("direction")) == "USER_INITIATED"
    taken = number(raw.get("duration")) or text(raw.get("start_time")) or text(raw.get("status")) == "COMPLETED"
    return Unsupported(type=CALL) if ended and not taken else None


def _system(raw: Any) -> Content | None:
    change = mapping(raw)
    return System(
        event=text(change.get("type")) or "system",
        phone=digits(change.get("wa_id")) or digits(change.get("new_wa_id")),
        bsuid=text(change.get("user_id")) or text(mapping(change.get("user_id")).get("current")),
    )


_READERS: dict[str, Callable[[Any], Content | None]] = {
    "text": _text,
    "audio": _voice,
    "image": _photo,
    "video": _video,
    "document": _document,
    "sticker": _sticker,
    "location": _location,
    "contacts": _cards,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
    "request_welcome": lambda _: System(event="request_welcome"),
}

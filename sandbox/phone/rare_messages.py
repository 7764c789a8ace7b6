"""Messages in Meta's format that the page's phone can't compose: orders, forms, ads, new numbers, and others."""

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.meta.acceptance import new_wamid
from sandbox.meta.calls import leave_voicemail, miss_call
from sandbox.meta.simulator import MetaSimulator, Person
from sandbox.meta.webhooks import empty_value, message_value, unix_seconds

SingleMessageKind = Literal[
    "share_number",
    "button",
    "flow",
    "call_permission",
    "order",
    "referral",
    "forwarded",
    "forwarded_often",
    "product_question",
    "group",
    "poll",
    "unknown",
    "broken_photo",
    "welcome",
]
ScenarioKind = Literal[
    "album",
    "number_change",
    "echo",
    "marketing_stop",
    "marketing_resume",
    "thread_taken",
    "thread_passed",
    "missed_call",
    "voicemail",
]
_VOICEMAIL = Path(__file__).parent.parent / "samples" / "es_ticket.ogg"
_CATALOG = "1188223344556677"
_UNSUPPORTED = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
_NOT_LOADED = {"code": 131052, "title": "Media download error", "message": "Media download error"}


class RareMessage(BaseModel):
    """A rare message by the person with this BSUID; `language` is the language of its text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person: str = Field(min_length=1, max_length=300)
    kind: SingleMessageKind | ScenarioKind
    language: Literal["es", "en"] = "es"


@dataclass(frozen=True, slots=True)
class _Localized:
    """The sender, and the language of its texts."""

    person: Person
    spanish: bool

    def __call__(self, spanish: str, english: str) -> str:
        return spanish if self.spanish else english

    def text(self, spanish: str, english: str) -> dict[str, Any]:
        return {"type": "text", "text": {"body": self(spanish, english)}}


WebhookMessage = dict[str, Any]


async def send(meta: MetaSimulator, person: Person, rare: RareMessage, album: Sequence[bytes]) -> Person:
    """Send it and return the person as they are afterwards; `album` holds the photos (JPEG) of an album."""
    words = _Localized(person, rare.language == "es")
    match rare.kind:
        case "album":
            await asyncio.gather(*(meta.sends_media(person, "image", photo, "image/jpeg") for photo in album))
        case "number_change":
            return await _change_number(meta, person)
        case "echo":
            await _echo(meta, words)
        case "thread_taken":
            await meta.takes_control(
                person, metadata=words("Meta Business Agent contesta", "Meta Business Agent answers")
            )
        case "thread_passed":
            summary = words("Preguntó por el horario y quiere una factura.", "Asked for the hours, wants an invoice.")
            context = {"conversation_context": {"summary": {"text": summary}}}
            await meta.passes_control(person, **context)
        case "missed_call":
            await miss_call(meta, person)
        case "voicemail":
            await leave_voicemail(meta, person, _VOICEMAIL.read_bytes())
        case "marketing_stop" | "marketing_resume":
            await _set_marketing_preference(meta, person, rare.kind.removeprefix("marketing_"))
        case kind:
            message = _BUILDERS[kind](words)
            context = message.pop("context", None)
            await meta.writes(person, message, context=context)
    return person


def _interactive(kind: str, reply: WebhookMessage) -> WebhookMessage:
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def _share_number(words: _Localized) -> WebhookMessage:
    phone = words.person.phone or "5215500000000"
    card = {"name": {"formatted_name": words.person.name}, "phones": [{"phone": f"+{phone}", "wa_id": phone}]}
    return {"type": "contacts", "contacts": [card | {"origin": "contact_request"}]}


def _flow(words: _Localized) -> WebhookMessage:
    answers = {"flow_token": "visit-7", "day": "2026-12-01", "people": 2, "note": words("Junto a la ventana", "Window")}
    response = json.dumps(answers, ensure_ascii=False)
    return _interactive("nfm_reply", {"name": "flow", "body": "Sent", "response_json": response})


def _call_permission(_: _Localized) -> WebhookMessage:
    permission = {"response": "accept", "is_permanent": False, "response_source": "user_action"}
    return _interactive("call_permission_reply", permission | {"expiration_timestamp": 1796000000})


def _order(words: _Localized) -> WebhookMessage:
    prices = (("DET-3L", 2, 35.5), ("CAF-500", 1, 119))
    items = [
        {"product_retailer_id": product, "quantity": quantity, "item_price": price, "currency": "MXN"}
        for product, quantity, price in prices
    ]
    note = words("¿Lo pueden enviar mañana?", "Can you deliver it tomorrow?")
    return {"type": "order", "order": {"catalog_id": _CATALOG, "text": note, "product_items": items}}


def _referral(words: _Localized) -> WebhookMessage:
    advert = {
        "source_url": "https://fb.me/3xAmPle",
        "source_id": "120210000000000001",
        "source_type": "ad",
        "headline": words("Detergente 3 L a $35.50", "3 L detergent at $35.50"),
        "body": words("Sólo esta semana", "This week only"),
        "media_type": "image",
        "image_url": "https://example.com/ad.jpg",
        "ctwa_clid": "ARAkLk3xAmPle",
    }
    return words.text("Hola, vi su anuncio", "Hi, I saw your ad") | {"referral": advert}


def _product_question(words: _Localized) -> WebhookMessage:
    product = {"catalog_id": _CATALOG, "product_retailer_id": "DET-3L"}
    text = words.text("¿Éste lo tienen?", "Do you have this one?")
    return text | {"context": {"from": "525500001111", "id": new_wamid(), "referred_product": product}}


def _unsupported(kind: str) -> WebhookMessage:
    details = {"error_data": {"details": "Message type is not currently supported."}}
    return {"type": "unsupported", "unsupported": {"type": kind}, "errors": [_UNSUPPORTED | details]}


def _forwarded(words: _Localized, mark: str) -> WebhookMessage:
    text = words.text("Cierran el 25 de diciembre, avisen a todos", "They close on 25 December, tell everybody")
    return text | {"context": {mark: True}}


_BUILDERS: dict[SingleMessageKind, Callable[[_Localized], WebhookMessage]] = {
    "share_number": _share_number,
    "button": lambda words: {
        "type": "button",
        "button": {"payload": "remind_later", "text": words("Recuérdame después", "Remind me later")},
    },
    "flow": _flow,
    "call_permission": _call_permission,
    "order": _order,
    "referral": _referral,
    "forwarded": lambda words: _forwarded(words, "forwarded"),
    "forwarded_often": lambda words: _forwarded(words, "frequently_forwarded"),
    "product_question": _product_question,
    "group": lambda words: (
        words.text("¿Alguien sabe a qué hora abren?", "Does anybody know when they open?")
        | {"group_id": "Y2FwaV9ncm91cDoxNTUwNQ"}
    ),
    "poll": lambda _: _unsupported("poll"),
    "unknown": lambda _: {"type": "unknown", "errors": [_UNSUPPORTED]},
    "broken_photo": lambda _: {"type": "image", "errors": [_NOT_LOADED]},
    "welcome": lambda _: {"type": "request_welcome"},
}


async def _change_number(meta: MetaSimulator, person: Person) -> Person:
    """A new number means a new BSUID too; with a hidden number only the new BSUID is visible."""
    digits = f"52155{secrets.randbelow(10**8):08d}" if person.phone else None
    new = replace(person, phone=digits, bsuid=f"{person.bsuid[:2]}.{secrets.randbelow(10**16):016d}")
    old_name, new_name = (person.phone or person.bsuid, new.phone or new.bsuid)
    change_notice = {"body": f"User {person.name} changed from {old_name} to {new_name}", "user_id": new.bsuid}
    if new.phone:
        change_notice |= {"type": "user_changed_number", "wa_id": new.phone}
    else:
        change_notice |= {"type": "user_changed_user_id"}
    at = meta.clock()
    message = {"id": new_wamid(), "timestamp": unix_seconds(at), "type": "system", "system": change_notice}
    value = message_value(meta.business, person, message)
    del value["contacts"]
    meta.chats.received(person, message, at)
    await meta.deliver(value)
    meta.chats.change_identity(person, new)
    change = {"user_id": {"previous": person.bsuid, "current": new.bsuid}, "timestamp": int(at.timestamp())}
    change |= {"detail": "The user's id has changed"} | ({"wa_id": new.phone} if new.phone else {})
    value = empty_value(meta.business) | {"contacts": [new.as_contact()], "user_id_update": [change]}
    await meta.deliver(value, field_name="user_id_update")
    return new


async def _echo(meta: MetaSimulator, words: _Localized) -> None:
    """A colleague answers in the WhatsApp Business app, beside the API."""
    person, at, wamid = words.person, meta.clock(), new_wamid()
    text = words.text("Hola, soy Marta. Yo te atiendo.", "Hi, this is Marta. I'll take it from here.")
    meta.chats.sent(person, wamid, text | {"from_app": True}, at)
    address = ({"to": person.phone} if person.phone else {}) | {"to_user_id": person.bsuid}
    echo = {"from": meta.display_phone_number, "id": wamid, "timestamp": unix_seconds(at)} | address | text
    value = empty_value(meta.business) | {"contacts": [person.as_contact()], "message_echoes": [echo]}
    await meta.deliver(value, field_name="smb_message_echoes")


async def _set_marketing_preference(meta: MetaSimulator, person: Person, choice: str) -> None:
    preference = {
        "user_id": person.bsuid,
        "detail": f"User requested to {choice} marketing messages",
        "category": "marketing_messages",
        "value": choice,
        "timestamp": int(meta.clock().timestamp()),
    } | ({"wa_id": person.phone} if person.phone else {})
    value = empty_value(meta.business) | {"contacts": [person.as_contact()], "user_preferences": [preference]}
    await meta.deliver(value, field_name="user_preferences")

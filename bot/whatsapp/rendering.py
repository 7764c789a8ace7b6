"""Our replies as the Graph API's JSON (reference 5.1)."""

from __future__ import annotations

from typing import Any

from bot.messages import Reply, Say


def render(part: Say, reply: Reply, callback: str) -> dict[str, Any]:
    """The body of `POST /{number}/messages`; `callback` comes back in every status of the message."""
    text = {"body": part.body, "preview_url": "https://" in part.body}
    return envelope(reply, callback) | {"type": "text", "text": text}


def envelope(reply: Reply, callback: str) -> dict[str, Any]:
    """What every message to a person carries, whatever its type."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **address(reply.phone, reply.bsuid),
        "biz_opaque_callback_data": callback,
    }


def address(phone: str | None, bsuid: str | None) -> dict[str, str]:
    """Who gets it: the phone if known, else `recipient`. A BSUID in `to` is accepted by Meta and never delivered."""
    if phone:
        return {"to": f"+{phone}"}
    if bsuid:
        return {"recipient": bsuid}
    raise ValueError("a reply without a phone and a BSUID reaches nobody")


def read_mark(message_id: str, *, typing: bool) -> dict[str, Any]:
    """Blue ticks for this message and all before it; with `typing` the dots, for 25 s or until we answer."""
    mark: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    return mark | ({"typing_indicator": {"type": "text"}} if typing else {})

"""JSON of the Graph API for a part that keeps Meta's limits already (bot.whatsapp.limits)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, assert_never

from bot.messages.outbound import (
    AskLocation,
    Attachment,
    Buttons,
    Choice,
    Filed,
    LinkButton,
    Menu,
    Picture,
    Reply,
    Say,
    SentSticker,
    SentVideo,
    StoredFile,
    VoiceNote,
)

Plain = Say | Filed | AskLocation | Buttons | Menu | LinkButton


def render(part: Plain, reply: Reply, callback: str, media_id: str | None = None) -> dict[str, Any]:
    """The body of `POST /{number}/messages`, of all but templates; `media_id` is its file's since its upload."""
    kind, content = _content(part, media_id)
    quote = {"context": {"message_id": part.quote}} if isinstance(part, Say) and part.quote else {}
    return envelope(reply, callback) | quote | {"type": kind, kind: content}


def envelope(reply: Reply, callback: str) -> dict[str, Any]:
    """Fields of every message to a person; `callback` comes back in every status of the message."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **address(reply.phone, reply.bsuid),
        "biz_opaque_callback_data": callback,
    }


def address(phone: str | None, bsuid: str | None) -> dict[str, str]:
    """Address of the person: the phone, else `recipient`. Meta accepts a BSUID in `to` and never delivers it."""
    if phone:
        return {"to": f"+{phone}"}
    if bsuid:
        return {"recipient": bsuid}
    raise ValueError("a reply without a phone and a BSUID reaches nobody")


def read_mark(message_id: str, *, typing: bool) -> dict[str, Any]:
    """Blue ticks for this message and all before it; with `typing` the dots, for 25 s or until we answer."""
    mark: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    return mark | ({"typing_indicator": {"type": "text"}} if typing else {})


def _content(part: Plain, media_id: str | None) -> tuple[str, dict[str, Any]]:  # noqa: PLR0911 - one line a kind
    match part:
        case Say():
            return "text", {"body": part.body, "preview_url": "https://" in part.body}
        case Picture():
            return "image", {"id": media_id} | _caption(part.caption)
        case Attachment():
            return "document", {"id": media_id, "filename": filename(part.file)} | _caption(part.caption)
        case VoiceNote():
            return "audio", {"id": media_id, "voice": True}
        case SentVideo():
            return "video", {"id": media_id} | _caption(part.caption)
        case SentSticker():
            return "sticker", {"id": media_id}
        case _:
            return "interactive", _interactive(part)


def _interactive(part: AskLocation | Buttons | Menu | LinkButton) -> dict[str, Any]:
    body = {"body": {"text": part.body}}
    match part:
        case AskLocation():
            return {"type": "location_request_message", **body, "action": {"name": "send_location"}}
        case LinkButton():
            parameters = {"display_text": part.label, "url": part.url}
            return {"type": "cta_url", **body, "action": {"name": "cta_url", "parameters": parameters}}
        case Buttons():
            buttons = [{"type": "reply", "reply": {"id": choice.id, "title": choice.title}} for choice in part.choices]
            return {"type": "button", **body, **_footer(part.footer), "action": {"buttons": buttons}}
        case Menu():
            sections = [{"rows": [_row(choice) for choice in part.choices]}]
            action = {"button": part.opener, "sections": sections}
            return {"type": "list", **body, **_footer(part.footer), "action": action}
        case _:
            assert_never(part)


def filename(file: StoredFile) -> str:
    """The name that the person sees; else the last part of the key."""
    return file.filename or PurePosixPath(file.key).name


def _row(choice: Choice) -> dict[str, str]:
    return {"id": choice.id, "title": choice.title} | _present({"description": choice.description})


def _caption(caption: str | None) -> dict[str, str]:
    return _present({"caption": caption})


def _footer(footer: str | None) -> dict[str, Any]:
    return {"footer": {"text": footer}} if footer else {}


def _present(values: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}

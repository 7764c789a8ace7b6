"""Messages as text for the model: the person's words as they are, all else as data between our tags."""

from __future__ import annotations

import json
import re
from html import escape
from typing import assert_never

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
    GivenBack,
    Inbound,
    Location,
    Media,
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
from bot.messages.outbound import (
    AskLocation,
    Attachment,
    Buttons,
    LinkButton,
    Menu,
    Part,
    Picture,
    Say,
    SentSticker,
    SentVideo,
    Template,
    VoiceNote,
)
from pipelines.truncation import truncated

# Field of a Flow's answer for machines only.
_OF_THE_FLOW = "flow_token"
_CUT = "shortened, and the whole choice isn't known any more; if more than one is meant by it, ask which"
_STILL_WAITS = (
    "a colleague had this conversation and gives it back; answer what the customer still waits for, without repeating "
    "what the colleague has said"
)
# Tags by kind. A person's text may hold none of these, because it could pass for a perception of the system. A new tag
# needs its name here, whether `tagged` or other code writes it.
_TAGS = {"voice": "voice_note", "cards": "contact_cards", "tap": "tapped"} | {
    tag: tag
    for tag in (
        "photo", "video", "document", "sticker", "location", "form", "order", "lost_file", "missed_call",
        "unreadable_message",
        "came_from_ad", "replying_to", "asking_about_product", "forwarded_message", "edited_caption", "tap_settled",
        "open_product_card", "document_passage", "given_back", "conversation", "text_read", "happened_before",
    )
}  # fmt: skip
# Because one "<" may stand before thousands of blanks, no repeat gives a blank back.
_FORGED = re.compile(rf"<(?=\s*+/?+\s*+(?:{'|'.join(_TAGS.values())})\b)", re.IGNORECASE)


def typed_text(message: Inbound) -> str:
    """The person's own words: a text, or the caption of a file."""
    content = message.content
    return content.body if isinstance(content, Text) else (isinstance(content, Media) and content.caption) or ""


def text_without_file(content: Content) -> str:
    """Text of a message without a look at its file."""
    if isinstance(content, Media):
        return tagged(
            content.kind, caption=content.caption, filename=display_filename(content.filename), note="not looked at"
        )
    return content_text(content)[0]


def display_filename(filename: str | None) -> str | None:
    """A file's name as a label, without folders and invisible signs that could disguise it."""
    name = (filename or "").replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in name if character.isprintable()) or None


def tagged(tag: str, **facts: str | None) -> str:
    """Facts between tags, escaped so that no text of others can close a tag."""
    tag = _TAGS.get(tag, tag)
    present = ((name, truncated(value)) for name, value in facts.items() if value)
    inside = "".join(f"<{name}>{escape(value, quote=False)}</{name}>" for name, value in present)
    return f"<{tag}>{inside}</{tag}>"


def _answers(raw: str) -> str:
    """A form's answers, each as `name: value`; text that is no JSON object stays as it is."""
    try:
        given = json.loads(raw)
        lines = [
            f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            for name, value in given.items()
            if name != _OF_THE_FLOW
        ]
    except (ValueError, RecursionError, AttributeError):
        return raw
    return "; ".join(lines).encode("utf-8", "replace").decode() or raw


def _card(card: ContactCard) -> str:
    who = ", ".join(filter(None, (card.name, card.company))) or "unnamed"
    ways = ", ".join((*card.phones, *card.others)) or "no phone and no other address"
    return f"{who}: {ways}" + (" (the sender's own number, says WhatsApp)" if card.vouched else "")


def without_our_tags(text: str) -> str:
    """A person's text with tags escaped that only we write."""
    return _FORGED.sub("&lt;", text)


def content_text(content: Content) -> tuple[str, str | None]:  # noqa: C901, PLR0911 - one line for each kind
    """Text of a message without a file, and the phrase for the person if it can't be read."""
    match content:
        case Text():
            return without_our_tags(content.body), None
        case Location():
            place = f"{content.latitude:.6f}, {content.longitude:.6f}"
            return tagged("location", coordinates=place, name=content.name, address=content.address), None
        case ContactCards():
            return tagged("cards", cards="; ".join(map(_card, content.cards))), None
        case Tap():
            return tagged("tap", title=content.title, note=_CUT if content.cut else None), None
        case Form():
            return tagged("form", answers=_answers(content.answers)), None
        case Order():
            return tagged("order", items="; ".join(content.items), text=content.text), None
        case Sticker():
            return tagged("sticker", note="a sticker, as a gesture"), None
        case Unsupported():
            return _unreadable(content)
        case GivenBack(operator=operator, note=note, unanswered=unanswered):
            waits = _STILL_WAITS if unanswered else None
            return tagged("given_back", by=operator, note=note, meaning=waits), None
        case CallPermission(accepted=accepted):
            return "(allowed us to call)" if accepted else "(did not allow us to call)", None
        case Reaction() | Edit() | Revoke() | System() | Voice() | Photo() | Video() | Document():
            raise ValueError(f"{content.kind} does not come here")
        case _:
            assert_never(content)


def _unreadable(content: Unsupported) -> tuple[str, str]:
    if content.error == FILE_LOST:
        problem = f"a message of the kind {content.type!r} whose file did not arrive; ask to send it again"
        return tagged("lost_file", problem=problem), "media_lost"
    if content.type == CALL:
        return tagged("missed_call", note="a call, which nobody can take here"), "call_missed"
    problem = f"a message of the kind {content.type!r}, which can't be read here"
    return tagged("unreadable_message", problem=problem), "unsupported"


def part_text(part: Part) -> str:  # noqa: PLR0911 - one line a kind
    """Text of a part, for the model's memory and for quotes."""
    match part:
        case Say():
            return part.body
        case Picture() | Attachment():
            return f"({part.kind}: {part.file.filename or part.file.mime}) {part.caption or ''}".strip()
        case VoiceNote():
            return "(voice note)"
        case SentVideo():
            return f"(video) {part.caption or ''}".strip()
        case SentSticker():
            return "(sticker)"
        case AskLocation():
            return f"{part.body}\n(button: send location)"
        case Buttons() | Menu():
            choices = (
                f"{choice.title} ({choice.description})" if choice.description else choice.title
                for choice in part.choices
            )
            return f"{part.body}\n(to tap: {' | '.join(choices)})"
        case LinkButton():
            return f"{part.body}\n(link: {part.label} {part.url})"
        case Template():
            return f"(template {part.name}: {', '.join(part.parameters.values())})"

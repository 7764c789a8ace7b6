"""Texts of messages as people read them: what was written, and apart from it what was heard or seen in a file."""

from __future__ import annotations

import re
from html import unescape

from bot.messages.inbound import (
    ContactCards,
    Content,
    Form,
    Location,
    Media,
    Order,
    System,
    Tap,
    Text,
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

_TAG = re.compile(r"</?[a-z_]{1,40}>")
# A document's text is searched no further.
_LONGEST = 20_000


def body_of(content: Content) -> str | None:  # noqa: PLR0911 - one line for each kind
    """The sender's own words, or what stands for them."""
    match content:
        case Text(body=body):
            return body
        case Media(caption=caption):
            return caption
        case Location(name=name, address=address):
            return ", ".join(filter(None, (name, address))) or None
        case ContactCards(cards=cards):
            return "; ".join(" ".join(filter(None, (card.name, card.company, *card.phones))) for card in cards) or None
        case Tap(title=title):
            return title
        case Order(text=text, items=items):
            return "; ".join(filter(None, (*items, text))) or None
        case Form(answers=answers):
            return answers
        case System(event=event):
            return event
        case _:
            return None


def words_of(part: Part, template: str | None = None) -> str | None:
    """The words of a part of ours; `template` are those of a template that was filled in."""
    match part:
        case Say(body=body) | AskLocation(body=body) | Buttons(body=body) | Menu(body=body) | LinkButton(body=body):
            return body
        case Picture(caption=caption) | Attachment(caption=caption) | SentVideo(caption=caption):
            return caption
        case VoiceNote() | SentSticker():
            return None
        case Template(parameters=parameters):
            return template or ", ".join(parameters.values()) or None


def transcript_of(text: str | None) -> str | None:
    """The understood content of a file, without the tags between which the model reads it."""
    plain = unescape(_TAG.sub(" ", text or ""))
    return " ".join(plain[:_LONGEST].split()) or None

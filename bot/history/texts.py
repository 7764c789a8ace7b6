"""Texts of messages as people read them: the written words, and separately the content of a file."""

from __future__ import annotations

import re
from html import unescape
from typing import assert_never

from bot.messages.inbound import (
    CallPermission,
    ContactCards,
    Content,
    Edit,
    Form,
    GivenBack,
    Location,
    Media,
    Order,
    Reaction,
    Revoke,
    System,
    Tap,
    Text,
    Unsupported,
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
    """The sender's own words, or a text in their place, such as the title of a tapped button."""
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
        case Reaction() | Edit() | Revoke() | CallPermission() | GivenBack() | Unsupported():
            return None
        case _:
            assert_never(content)


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

"""Messages that a turn sends: its text and what its tools offer to tap, without saying anything twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.messages.inbound import (
    AskContact,
    AskLocation,
    Attachment,
    Buttons,
    LinkButton,
    Menu,
    Part,
    Picture,
    Place,
    React,
    Say,
    Template,
    VoiceNote,
)
from bot.whatsapp.formatting import fits
from bot.whatsapp.limits import fit

_SHORT_BODY = 1024
_WORD = re.compile(r"\w+")
# Shorter sentences ("Claro.") are alike by chance.
_SAME_FROM = 3
_BREAK = re.compile(r"(?<=[.!?…:])\s+")


def composed(text: str, offered: Sequence[Part]) -> tuple[Part, ...]:
    """The parts of a reply: one message where one can hold the text and what is offered (each one is charged).

    The text has WhatsApp's marks already.
    """
    if not offered:
        return fit([_say(text)])
    first, *others = offered
    adds = _new(text, " ".join(words(part) for part in offered))
    if not adds:
        return fit(offered)
    if isinstance(first, Buttons | Menu | LinkButton | AskLocation | AskContact):
        body = f"{adds}\n\n{first.body}".strip()
        if fits(body, _SHORT_BODY):
            return fit([first.model_copy(update={"body": body}), *others])
    return fit([_say(adds), *offered])


def _say(text: str) -> Say:
    # Of any length until it is fitted.
    return Say.model_construct(body=text)


def words(part: Part) -> str:  # noqa: C901, PLR0911 - one line a kind
    """What a part says, as the model remembers it and as a quote of it is read."""
    match part:
        case Say():
            return part.body
        case React():
            return f"(reacted {part.emoji})"
        case Picture() | Attachment():
            return f"({part.kind}: {part.file.filename or part.file.mime}) {part.caption or ''}".strip()
        case VoiceNote():
            return "(voice note)"
        case Place():
            return f"(location: {part.name or ''} {part.address or ''})"
        case AskLocation():
            return f"{part.body}\n(button: send location)"
        case AskContact():
            return f"{part.body}\n(button: share contact)"
        case Buttons() | Menu():
            shown = (f"{one.title} ({one.description})" if one.description else one.title for one in part.choices)
            return f"{part.body}\n(to tap: {' | '.join(shown)})"
        case LinkButton():
            return f"{part.body}\n(link: {part.label} {part.url})"
        case Template():
            return f"(template {part.name}: {', '.join(part.parameters.values())})"


def _new(text: str, said: str) -> str:
    """The text without the sentences that are said already; nothing where no word is left."""
    known = _plain(said)
    if _plain(text) in known:
        return ""
    lines = []
    for line in text.split("\n"):
        sentences = _BREAK.split(line)
        kept = [one for one in sentences if len(_WORD.findall(one)) < _SAME_FROM or _plain(one) not in known]
        # A line is left as it is, or loses whole sentences.
        lines.append(line if len(kept) == len(sentences) else " ".join(kept))
    rest = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return rest if _WORD.search(rest) else ""


def _plain(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} " if _WORD.search(text) else ""

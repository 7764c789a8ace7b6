"""Messages that a turn sends: its text and its tools' parts, without repeating a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.messages.outbound import AskLocation, Buttons, LinkButton, Menu, Part, Say
from bot.messages.prompt_text import part_text
from bot.whatsapp.formatting import fits
from bot.whatsapp.limits import fit

_SHORT_BODY = 1024
_WORD = re.compile(r"\w+")
# Shorter sentences ("Claro.") can be equal by chance.
_SAME_FROM = 3
_BREAK = re.compile(r"(?<=[.!?…:])\s+")


def composed(text: str, offered: Sequence[Part]) -> tuple[Part, ...]:
    """The parts of a reply: a single message if it can hold the text and the offer, because each message is charged.

    The text is in WhatsApp's markup already.
    """
    if not offered:
        return fit([_say(text)])
    first, *others = offered
    new_text = _new(text, " ".join(part_text(part) for part in offered))
    if not new_text:
        return fit(offered)
    if isinstance(first, Buttons | Menu | LinkButton | AskLocation):
        body = f"{new_text}\n\n{first.body}".strip()
        if fits(body, _SHORT_BODY):
            return fit([first.model_copy(update={"body": body}), *others])
    return fit([_say(new_text), *offered])


def _say(text: str) -> Say:
    # Without validation, because `fit` shortens the text afterwards.
    return Say.model_construct(body=text)


def _new(text: str, offered_text: str) -> str:
    """The text without sentences that `offered_text` contains; empty when no word is left."""
    known = _plain(offered_text)
    if _plain(text) in known:
        return ""
    lines = []
    for line in text.split("\n"):
        sentences = _BREAK.split(line)
        kept = [
            sentence
            for sentence in sentences
            if len(_WORD.findall(sentence)) < _SAME_FROM or _plain(sentence) not in known
        ]
        # A line that loses no sentence keeps its spacing.
        lines.append(line if len(kept) == len(sentences) else " ".join(kept))
    rest = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return rest if _WORD.search(rest) else ""


def _plain(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} " if _WORD.search(text) else ""

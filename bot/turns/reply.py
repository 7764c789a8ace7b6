"""Messages that a turn sends: its text and what its tools offer to tap, without saying anything twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.messages.outbound import AskLocation, Buttons, LinkButton, Menu, Part, Say
from bot.messages.prompt_text import words
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
    if isinstance(first, Buttons | Menu | LinkButton | AskLocation):
        body = f"{adds}\n\n{first.body}".strip()
        if fits(body, _SHORT_BODY):
            return fit([first.model_copy(update={"body": body}), *others])
    return fit([_say(adds), *offered])


def _say(text: str) -> Say:
    # Of any length until it is fitted.
    return Say.model_construct(body=text)


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

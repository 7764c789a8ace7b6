"""Ratings of a closed conversation: three buttons, whose taps are counted and start no turn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.messages.inbound import Content, Tap
from bot.messages.language import Language
from bot.messages.outbound import Buttons, Choice
from bot.messages.phrases import phrase

# The best one first.
GRADES = ("good", "fair", "bad")
_TAP = re.compile(r"rate\.(r_[0-9a-f]{24})\.(good|fair|bad)")


@dataclass(frozen=True, slots=True)
class Rating:
    """A tap's grade; `question` is the name of the reply that asked."""

    question: str
    grade: str


def rating_question(name: str, language: Language) -> Buttons:
    """The question of the reply `name`, in the customer's language."""
    choices = (Choice(id=f"rate.{name}.{grade}", title=phrase(f"rating_{grade}", language)) for grade in GRADES)
    return Buttons(body=phrase("rating_question", language), choices=tuple(choices))


def rating_of(content: Content) -> Rating | None:
    """The rating that a message is, if it is one."""
    found = _TAP.fullmatch(content.id) if isinstance(content, Tap) else None
    return Rating(found[1], found[2]) if found else None

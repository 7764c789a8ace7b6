"""What the model is told before it answers: the prompt with its values, then what was said so far."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from bot.ai.chat import FromModel, FromPerson, Line, ModelRequest
from bot.conversations.memory import History
from bot.messages.language import Language
from bot.messages.prompt_text import without_our_tags
from bot.prompting.prompts import Prompts, Rendered

_NAME_LENGTH = 60


def values_for(
    prompts: Prompts, *, name: str | None, language: Language, now: datetime, summary: str
) -> dict[str, Any]:
    """The values of the prompt `assistant`; `name` is what the person's profile says, and theirs to choose."""
    return {
        "business": {"name": prompts.business.name},
        "customer_name": _called(name or ""),
        "language": language,
        "now": now.strftime("%Y-%m-%d %H:%M (%A)"),
        "summary": without_our_tags(summary),
    }


def values_of_summary(prompts: Prompts, summary: str) -> dict[str, Any]:
    """The values of the prompt `summary`: what was summarised before."""
    return {"business": {"name": prompts.business.name}, "summary": without_our_tags(summary)}


def dialogue(before: History) -> list[Line]:
    """What was said, as a dialogue: lines that one side said in a row are one."""
    spoken = groupby((*before.fallen, *before.recent), key=lambda item: item.role)
    texts = ((role, "\n".join(item.text for item in items)) for role, items in spoken)
    return [FromPerson(text) if role == "user" else FromModel(text) for role, text in texts]


def asked_with(rendered: Rendered, question: ModelRequest) -> ModelRequest:
    """The question as the prompt wants it asked: which models, how."""
    options = rendered.model.options
    return replace(question, models=rendered.model.ids, temperature=options.temperature, max_tokens=options.max_tokens)


def _called(name: str) -> str:
    """A profile's name for the prompt: on one line, without the signs that would end the quotation it stands in."""
    kept = "".join(sign if sign.isprintable() and sign not in '«»<>{}#`"' else " " for sign in name)
    return " ".join(kept.split())[:_NAME_LENGTH]

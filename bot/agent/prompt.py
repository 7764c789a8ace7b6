"""Input of the model: values of the prompt, and the dialogue so far."""

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
    """Values of the prompt `assistant`; `name` comes from the person's profile, so its text is untrusted."""
    return {
        "business": {"name": prompts.business.name},
        "customer_name": _called(name or ""),
        "language": language,
        "now": now.strftime("%Y-%m-%d %H:%M (%A)"),
        "summary": without_our_tags(summary),
    }


def values_of_summary(prompts: Prompts, summary: str) -> dict[str, Any]:
    """Values of the prompt `summary`, with the previous summary."""
    return {"business": {"name": prompts.business.name}, "summary": without_our_tags(summary)}


def dialogue(before: History) -> list[Line]:
    """The history as a dialogue; consecutive entries of one side become one line."""
    spoken = groupby((*before.unsummarised, *before.recent), key=lambda item: item.role)
    texts = ((role, "\n".join(item.text for item in items)) for role, items in spoken)
    return [FromPerson(text) if role == "user" else FromModel(text) for role, text in texts]


def request_with(rendered: Rendered, request: ModelRequest) -> ModelRequest:
    """The request with the prompt's models and options."""
    options = rendered.model.options
    return replace(request, models=rendered.model.ids, temperature=options.temperature, max_tokens=options.max_tokens)


def _called(name: str) -> str:
    """A profile's name on one line, without signs that would end its quotation in the prompt."""
    kept = "".join(sign if sign.isprintable() and sign not in '«»<>{}#`"' else " " for sign in name)
    return " ".join(kept.split())[:_NAME_LENGTH]

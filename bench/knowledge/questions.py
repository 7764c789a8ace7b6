"""Questions of a bench: JSON Lines, and whether a passage answers one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.knowledge.document import Audience
from bot.knowledge.search_result import PassageHit
from bot.messages.folding import folded


class QuestionsWrong(Exception):
    """A line of QUESTIONS can't be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the files and texts of which a passage has one each; without files nothing answers it."""

    text: str
    sources: tuple[str, ...]
    answers: tuple[str, ...]
    history: tuple[str, ...] = ()
    audience: Audience = "customer"
    number: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def is_hit(self, hit: PassageHit) -> bool:
        """Whether a passage of one of the files holds one of the texts; any passage of the file where none is named."""
        if not any(_same_file(hit.document.name, source) for source in self.sources):
            return False
        text = _plain(hit.passage.text)
        return not self.answers or any(_plain(answer) in text for answer in self.answers)

    def rank(self, hits: Sequence[PassageHit]) -> int | None:
        """Place of the first passage that answers, from 1."""
        return next((place for place, hit in enumerate(hits, 1) if self.is_hit(hit)), None)


def read_questions(path: Path) -> list[Question]:
    """Read the lines of a file. Raises QuestionsWrong."""
    found = []
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if line.strip():
            try:
                found.append(_question(json.loads(line), number))
            except (ValueError, KeyError, TypeError) as error:
                raise QuestionsWrong(f"{path}:{number}: {type(error).__name__}: {error}") from error
    return found


def _question(entry: dict[str, Any], number: int) -> Question:
    history = entry.get("history") or ()
    said = [history] if isinstance(history, str) else list(history)
    return Question(
        text=str(entry["q"]),
        sources=tuple(entry.get("sources") or ()),
        answers=tuple(entry.get("answer_contains") or ()),
        history=tuple(_said(message) for message in said),
        audience="staff" if entry.get("audience") == "staff" else "customer",
        number=number,
    )


def _said(entry: Any) -> str:
    """Words of an earlier message: a text, or an object with them under a usual name."""
    if isinstance(entry, dict):
        return str(next((entry[name] for name in ("text", "content", "q", "user") if entry.get(name)), ""))
    return str(entry)


def _same_file(name: str, source: str) -> bool:
    return name == source or name.endswith(f"/{source}") or source.endswith(f"/{name}")


def _plain(text: str) -> str:
    return "".join(folded(text).split())

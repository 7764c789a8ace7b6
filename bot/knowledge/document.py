"""A document of the company as it is searched: its passages, for whom it is, and when it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from bot.messages.language import Language

Audience = Literal["customer", "staff"]


@dataclass(frozen=True, slots=True)
class Passage:
    """Text of a document with its heading above it; `location` says where it stands.

    `questions` are those that a person has answered with this passage; such an answer wins.
    """

    text: str
    location: str = ""
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnowledgeDocument:
    """`name` is the path below the folder, `digest` names the content with its metadata."""

    name: str
    digest: str
    title: str = ""
    language: Language | None = None
    audience: Audience = "customer"
    valid_from: date | None = None
    valid_until: date | None = None
    pages: int | None = None
    passages: tuple[Passage, ...] = field(default=())

    def holds_on(self, day: date) -> bool:
        """Whether the document is valid on this day; both its days count."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


@dataclass(frozen=True, slots=True)
class FileFinding:
    """A reason against a file, or a part of it, with its place; a bad file is left out, the others stay.

    `is_error` is False if the file is used all the same.
    """

    file: str
    problem: str
    place: str = ""
    is_error: bool = True

    def __str__(self) -> str:
        # A terminal would obey some signs of a name.
        file = "".join(sign if sign.isprintable() else "\ufffd" for sign in self.file)
        return f"{file}: {self.place}: {self.problem}" if self.place else f"{file}: {self.problem}"

    def as_json(self) -> dict[str, str | bool]:
        return {"file": self.file, "place": self.place, "problem": self.problem, "error": self.is_error}

"""Diagnostics of prompt files: place, stable code, message and fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Literal

from bot.messages.language import Language
from bot.prompting.plain_words import explanation, hint, title

Severity = Literal["error", "warning"]
# Because each diagnostic costs a search for its place and for similar names, one file gets no more of them.
MOST_DIAGNOSTICS = 100

_LANGUAGES: tuple[Language, ...] = ("es", "en")

# Because programs read these codes, they stay the same. An error keeps a folder from being released.
CODES: dict[str, Severity] = {
    # the files
    "no-files": "error",
    "missing-file": "error",
    "unreadable-file": "error",
    "not-utf8": "error",
    "too-large": "error",
    "empty-prompt": "error",
    # the front matter
    "unclosed-front-matter": "error",
    "broken-yaml": "error",
    "bad-field": "error",
    "unknown-field": "warning",
    "bad-business": "error",
    "model-syntax": "error",
    "unknown-model": "warning",
    "unknown-tool": "error",
    "unknown-template": "error",
    # the body
    "template-syntax": "error",
    "unclosed-block": "error",
    "not-allowed": "error",
    "unknown-filter": "error",
    "unknown-variable": "error",
    "missing-variable": "error",
    "unused-variable": "warning",
    "unknown-include": "error",
    "circular-include": "error",
    "part-in-block": "error",
    "part-in-partial": "warning",
    "can-not-render": "error",
    # the words
    "unknown-name": "warning",
    "secret-in-text": "error",
    "token-budget": "error",
    "whatsapp-format": "warning",
    "language-missing": "warning",
    # the gate
    "case-failed": "error",
    "case-stale": "error",
    "no-cases": "error",
    "not-evaluated": "error",
}


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """Line and column count from 1. `message` names the mistake, `fix` the remedy; neither shows a secret.

    For plain words, `about` is the name or value in question, and `instead` a known name that is similar. `about_es`
    is the former in Spanish, where it has words of ours.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    fix: str = ""
    about: str = ""
    instead: str = ""
    about_es: str = ""

    @property
    def severity(self) -> Severity:
        return CODES[self.code]

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def __str__(self) -> str:
        words = f"{self.message}; {self.fix}" if self.fix else self.message
        return f"{self.file}:{self.line}:{self.column} {self.code} {' '.join(words.split())}"

    def plain(self, language: Language) -> str:
        """The line for people who don't program: place, code, and plain words in their language."""
        words = explanation(self.code, self._about(language), self.instead, language)
        return f"{self.file}:{self.line}:{self.column} {self.code} {' '.join(words.split())}"

    def as_json(self) -> dict[str, Any]:
        """The fields, and `words` with a title and a hint in each language."""
        words = {
            language: {
                "title": title(self.code, self._about(language), language),
                "hint": hint(self.code, self.instead, language),
            }
            for language in _LANGUAGES
        }
        return {**asdict(self), "severity": self.severity, "words": words}

    def _about(self, language: Language) -> str:
        return (self.about_es or self.about) if language == "es" else self.about


class PromptsWrong(Exception):
    """A folder, or a release, can't be used; the message holds its errors, one line each."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = sorted(diagnostic for diagnostic in diagnostics if diagnostic.is_error)
        super().__init__("\n".join(map(str, self.diagnostics)))

    @property
    def places(self) -> str:
        """Places and codes alone, because the message of an expression's error may quote a person."""
        return ", ".join(
            f"{diagnostic.file}:{diagnostic.line}:{diagnostic.column} {diagnostic.code}"
            for diagnostic in self.diagnostics
        )


def column_of(line: str, *words: str) -> int:
    """Column of the first of these words that the line holds; else the column of its text."""
    found = (line.find(word) for word in words)
    start = next((at for at in found if at >= 0), len(line) - len(line.lstrip()))
    return start + 1


def suggestion(name: str, known: Iterable[str]) -> str:
    """Remedy for a misspelt name; empty where no known name is similar."""
    found = similar(name, known)
    return f"did you mean {found!r}?" if found else ""


def similar(name: str, known: Iterable[str]) -> str:
    """The known name that is most like a misspelt one; empty where none is."""
    return next(iter(get_close_matches(name, list(known), 1)), "")

"""What a check finds in prompt files: where, under which stable name, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]

# The codes are a promise to those who read findings by machine. An error keeps a folder from being released.
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
    """Line and column are counted from 1. `message` says what is wrong, `fix` what to do; neither shows a secret."""

    file: str
    line: int
    column: int
    code: str
    message: str
    fix: str = ""

    @property
    def severity(self) -> Severity:
        return CODES[self.code]

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def __str__(self) -> str:
        words = f"{self.message}; {self.fix}" if self.fix else self.message
        return f"{self.file}:{self.line}:{self.column} {self.code} {' '.join(words.split())}"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "severity": self.severity}


class PromptsWrong(Exception):
    """A folder, or a release, can't be used; the message is its errors, one line each."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = sorted(diagnostic for diagnostic in diagnostics if diagnostic.is_error)
        super().__init__("\n".join(map(str, self.diagnostics)))

    @property
    def places(self) -> str:
        """Where, under which codes, and nothing else: what an expression raised may quote a person."""
        return ", ".join(f"{one.file}:{one.line}:{one.column} {one.code}" for one in self.diagnostics)


def column_of(line: str, *words: str) -> int:
    """Where the first of these words begins in a line that has one of them; else where its text begins."""
    found = (line.find(word) for word in words)
    start = next((at for at in found if at >= 0), len(line) - len(line.lstrip()))
    return start + 1

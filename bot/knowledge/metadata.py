"""Facts about a document, from its front matter or from the file `NAME.yaml` beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

import yaml

from bot.infra import plain_yaml
from bot.knowledge.document import Audience
from bot.messages.folding import folded
from bot.messages.language import Language, language_from

_FENCE = re.compile(r"[ \t]*(?:---|—-|–-|——|—)[ \t]*")
_LONGEST = 200
_MOST_LINES = 200
_NEAR = 0.75
# Operators write in their language.
_KEYS = {
    "title": "title", "titulo": "title", "título": "title",
    "language": "language", "lang": "language", "idioma": "language",
    "audience": "audience", "audiencia": "audience", "publico": "audience", "público": "audience", "para": "audience",
    "valid_from": "valid_from", "valido_desde": "valid_from", "vigente_desde": "valid_from", "desde": "valid_from",
    "valid_until": "valid_until", "valido_hasta": "valid_until", "vigente_hasta": "valid_until", "hasta": "valid_until",
}  # fmt: skip
_AUDIENCES: dict[str, Audience] = {
    "customer": "customer", "customers": "customer", "cliente": "customer", "clientes": "customer", "all": "customer",
    "todos": "customer", "public": "customer", "publico": "customer", "público": "customer",
    "staff": "staff", "personal": "staff", "equipo": "staff", "empleados": "staff", "interno": "staff",
}  # fmt: skip


# Words for the audience `staff` where no front matter is, and in names of keys that we don't know.
_STAFF = "(?:staff|personal|equipo|empleados|interno)"
_FOR_STAFF = re.compile(
    rf"^\W{{0,20}}(?:audience|audiencia|publico) ?[:=,;] ?[\"']?{_STAFF}\b\W{{0,20}}$"
    rf"|<meta\s[^>]{{0,200}}\baudience\b[^>]{{0,200}}\b{_STAFF}\b"
)
_PRIVATE = re.compile("staff|personal|intern|privad|private|confiden|empleado|secret|equipo")
_LOOKED_AT, _FIRST_LINES = 10_000, 40


class FrontMatterOpen(Exception):
    """Front matter that begins at this line, and never ends."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    title: str = ""
    language: Language | None = None
    audience: Audience = "customer"
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class FactMistake:
    """A mistake at a line of the front matter's file; `is_error` where the document can't be used safely."""

    line: int
    problem: str
    is_error: bool = True


def split(text: str) -> tuple[str | None, str, int]:
    """Front matter (None without one), the text below it, and that text's first line. Raises FrontMatterOpen."""
    lines = text.split("\n")
    begin = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if not _FENCE.fullmatch(lines[begin]):
        return None, text, 1
    inside = enumerate(lines[begin + 1 : begin + _MOST_LINES], begin + 1)
    end = next((number for number, line in inside if _FENCE.fullmatch(line)), None)
    if end is None:
        # A line that divides paragraphs looks the same; but what begins with a fact of ours isn't shown without it.
        first = next((line for line in lines[begin + 1 :] if line.strip()), "")
        key, colon, _ = first.partition(":")
        if colon and key.strip().lower() in _KEYS:
            raise FrontMatterOpen(begin + 1)
        return None, text, 1
    # The empty lines keep the numbers of the others.
    return "\n" * begin + "\n".join(lines[begin + 1 : end]), "\n".join(lines[end + 1 :]), end + 2


def misplaced_audience(text: str) -> int | None:
    """Line, from 1, near a text's beginning that keeps it for the staff without being front matter; None without one.

    Such as between lines of `----`, in a document of Word, or in a tag of HTML: nobody would read it.
    """
    lines = text[:_LOOKED_AT].split("\n")[:_FIRST_LINES]
    return next((number for number, line in enumerate(lines, 1) if _FOR_STAFF.search(folded(line))), None)


def read_metadata(source: str, first_line: int = 2) -> tuple[DocumentFacts, list[FactMistake]]:
    """Read YAML of `key: value` lines.

    Because a wrong audience could show a secret, a mistake in a value is an error.
    """
    try:
        _, found = plain_yaml.read(source)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        return DocumentFacts(), [
            FactMistake(first_line + (mark.line if mark else 0), "front matter that can't be read")
        ]
    if found is None:
        return DocumentFacts(), []
    if not isinstance(found, dict):
        return DocumentFacts(), [FactMistake(first_line, "front matter without lines of `name: value`")]
    values: dict[str, Any] = {}
    mistakes = list(_values(found, source, first_line, values))
    return DocumentFacts(**values), mistakes


def _values(found: Mapping[str, Any], source: str, first_line: int, values: dict[str, Any]) -> Iterator[FactMistake]:
    lines = source.split("\n")
    for key, value in found.items():
        line = next((at for at, text in enumerate(lines, first_line) if text.lstrip().startswith(str(key))), first_line)
        name = _KEYS.get(str(key).lower())
        if name is None:
            yield _unknown(line, str(key)[:_LONGEST], str(value)[:_LONGEST])
            continue
        if sum(_KEYS.get(text.partition(":")[0].strip().lower()) == name for text in lines) > 1:
            yield FactMistake(line, f"{name} stands there twice")
        try:
            values[name] = _READERS[name](value)
        except (ValueError, TypeError):
            yield FactMistake(line, f"{key}: {_EXPECTED[name]}")


def _unknown(line: int, key: str, value: str) -> FactMistake:
    """Mistake of a key that nothing reads; because it may be meant as the audience, what sounds so is an error."""
    near = next(iter(get_close_matches(key.lower(), _KEYS, 1, _NEAR)), None)
    if near is None and _PRIVATE.search(folded(f"{key} {value}")):
        near = "audience"
    meant = f"; is {near} meant?" if near else ", and nothing reads it"
    return FactMistake(line, f"unknown key {key[:40]!r}{meant}", is_error=near is not None)


def _title(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return " ".join(value.split())[:_LONGEST]


def _language(value: Any) -> Language:
    names = {"español": "es", "spanish": "es", "inglés": "en", "english": "en"}
    language = language_from(names.get(str(value).lower(), str(value)), None)
    if language is None:
        raise ValueError
    return language


def _audience(value: Any) -> Audience:
    return _AUDIENCES.get(str(value).strip().lower()) or _wrong()


def _wrong() -> Audience:
    raise ValueError


def _day(value: Any) -> date:
    return date.fromisoformat(str(value).strip())


_READERS: dict[str, Any] = {
    "title": _title,
    "language": _language,
    "audience": _audience,
    "valid_from": _day,
    "valid_until": _day,
}
_EXPECTED = {
    "title": "expected words",
    "language": "expected es or en",
    "audience": "expected customer or staff",
    "valid_from": "expected a date such as 2026-12-31",
    "valid_until": "expected a date such as 2026-12-31",
}

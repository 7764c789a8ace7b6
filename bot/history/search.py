"""Search of words in messages, and of parts of names and numbers: by FTS5 on SQLite, by tsvector on PostgreSQL."""

from __future__ import annotations

import re
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table, text

from bot.history import tables
from bot.history.state import folded

_MOST_WORDS = 8
_LONGEST_WORD = 64
# SQLite's index of parts knows no part of fewer signs.
_TRIGRAM = 3
_MESSAGES = tables.MESSAGES


def words_of_query(query: str) -> list[str]:
    """The words of a search, without accents and signs."""
    return [word[:_LONGEST_WORD] for word in re.findall(r"\w+", folded(query[:500]))][:_MOST_WORDS]


def newest_with(words: list[str], limit: int, *, postgresql: bool) -> Select[Any]:
    """The numbers of the newest messages that hold all words; each may go on, because people type as they search."""
    if postgresql:
        asked = reduce(lambda one, other: one.op("&&")(other), map(_one_word, words))
        found = select(_MESSAGES.c.seq).where(literal_column("messages.words").op("@@")(asked))
        return found.order_by(_MESSAGES.c.seq.desc()).limit(limit)
    index = table("messages_words", column("rowid"))
    # A table of FTS5 is compared by its own name.
    match = text("messages_words MATCH :match").bindparams(match=" ".join(f'"{word}"*' for word in words))
    return select(index.c.rowid.label("seq")).where(match).order_by(index.c.rowid.desc()).limit(limit)


def _one_word(word: str) -> ColumnElement[Any]:
    """The word as it begins, or by its stem in either language."""
    begins: ColumnElement[Any] = func.to_tsquery("simple", func.quote_literal(func.unaccent(word)).op("||")(":*"))
    spanish, english = func.plainto_tsquery("spanish", word), func.plainto_tsquery("english", word)
    return begins.op("||")(spanish).op("||")(english).self_group()


def people_with(query: str, limit: int, *, postgresql: bool) -> Select[Any]:
    """Conversations of people whose name or number holds this text."""
    part = folded(query.strip()[:100])
    # A number is written in many ways.
    if re.fullmatch(r"[\d\s+().-]+", part):
        part = re.sub(r"\D", "", part)
    contacts = tables.CONTACTS
    found = select(contacts.c.conversation).limit(limit)
    if postgresql or len(part) < _TRIGRAM:
        return found.where(contacts.c.folded.contains(part, autoescape=True))
    index = table("contacts_parts", column("rowid"))
    quoted = part.replace('"', '""')
    match: ColumnElement[bool] = text("contacts_parts MATCH :part").bindparams(part=f'"{quoted}"')  # type: ignore[assignment]
    inside = select(index.c.rowid).where(match)
    return found.where(literal_column("contacts.rowid").in_(inside))

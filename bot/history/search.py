"""Search of words in messages, and of parts of names and numbers: by FTS5 on SQLite, by tsvector on PostgreSQL."""

from __future__ import annotations

import re
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.history import tables
from bot.messages.folding import folded

_MOST_WORDS = 8
_LONGEST_WORD = 64
# SQLite's index of parts knows no part of fewer signs.
_TRIGRAM = 3
_SHORTEST_BEGINNING = 2
_LOOKED_THROUGH = 10_000
_MESSAGES = tables.MESSAGES


def words_of_query(query: str) -> list[str]:
    """The words of a search, without accents and signs."""
    return [word[:_LONGEST_WORD] for word in re.findall(r"\w+", folded(query[:500]))][:_MOST_WORDS]


async def newest_with(connection: AsyncConnection, words: list[str], limit: int) -> list[int]:
    """The numbers of the newest messages that hold all words.

    Where these are few, the last word may go on, because people type as they search. Not at once: a database looks at
    all messages with a common beginning, and at the newest ones with a common word.
    """
    found = await _newest(connection, words, limit, is_typed=False)
    if len(found) < limit and len(words[-1]) >= _SHORTEST_BEGINNING:
        found = await _newest(connection, words, limit, is_typed=True)
    return found


async def _newest(connection: AsyncConnection, words: list[str], limit: int, *, is_typed: bool) -> list[int]:
    last = len(words) - 1 if is_typed else None
    if connection.dialect.name != "postgresql":
        return list((await connection.execute(_on_sqlite(words, last).limit(limit))).scalars())
    return await _on_postgresql(connection, words, last, limit)


async def _on_postgresql(connection: AsyncConnection, words: list[str], last: int | None, limit: int) -> list[int]:
    """Look through the newest messages; where few of them have the words, ask the index of words for all that do.

    PostgreSQL can't tell how often words occur together. It would walk through all messages for two common words that
    never do, and would fetch thousands for two that always do. The newest messages tell which way is short.
    """
    each = (_one_word(word, begins=index == last) for index, word in enumerate(words))
    # Within a subquery, PostgreSQL makes it once, and not for each row.
    query = select(reduce(lambda condition, other: condition.op("&&")(other), each)).scalar_subquery()
    words_: ColumnElement[Any] = literal_column("words")
    found: list[int] = []
    for count in (_LOOKED_THROUGH, _LOOKED_THROUGH * 4):
        first = select(func.max(_MESSAGES.c.seq) - count).scalar_subquery()
        newest = select(_MESSAGES.c.seq, words_).select_from(_MESSAGES).where(_MESSAGES.c.seq > first)
        # The offset keeps the condition out of the inside, where the index of words would give thousands of rows.
        inside = newest.order_by(_MESSAGES.c.seq.desc()).offset(0).subquery("newest")
        through = select(inside.c.seq).where(words_.op("@@")(query)).limit(limit)
        found = list((await connection.execute(through)).scalars())
        if len(found) == limit:
            return found
        if len(found) < limit // 2:
            break
    # The sum keeps the order from being taken from the index of numbers.
    every = select(_MESSAGES.c.seq).where(words_.op("@@")(query)).order_by((_MESSAGES.c.seq + 0).desc())
    return list((await connection.execute(every.limit(limit))).scalars())


def _on_sqlite(words: list[str], last: int | None) -> Select[Any]:
    index = table("messages_words", column("rowid"))
    # A table of FTS5 is compared by its own name.
    match = text("messages_words MATCH :match").bindparams(match=_match(words, last))
    return select(index.c.rowid).where(match).order_by(index.c.rowid.desc())


def _match(words: list[str], last: int | None) -> str:
    """The words for FTS5, each between quotes."""
    return " ".join(f'"{word}"*' if index == last else f'"{word}"' for index, word in enumerate(words))


def _one_word(word: str, *, begins: bool) -> ColumnElement[Any]:
    """The word as it is or begins, or by its stem in either language."""
    ending = ":*" if begins else ""
    plain: ColumnElement[Any] = func.to_tsquery("simple", func.quote_literal(func.unaccent(word)).op("||")(ending))
    spanish, english = func.plainto_tsquery("spanish", word), func.plainto_tsquery("english", word)
    return plain.op("||")(spanish).op("||")(english).self_group()


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

"""Suggested questions and answers: what the documents left open, and what got a thumbs down, grouped.

Nothing learns by itself: a person edits and accepts a suggestion, and the next sync has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database
from bot.history.tables import CHANGES, DELIVERIES, MESSAGES
from bot.knowledge.answers import decided
from bot.knowledge.embeddings import Embedder
from bot.knowledge.gaps import KnowledgeGaps, redacted
from bot.knowledge.words import question_words, sound_of

Origin = Literal["gap", "thumbs down"]
# Questions whose vectors are as alike as this ask the same.
_ALIKE, _SAME_WORDS = 0.75, 0.6
_MOST = 500
_ANSWERED_WITHIN = timedelta(days=1)
_THUMBS_DOWN = "👎"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question without identities, and the answer that a colleague wrote afterwards."""

    question: str
    origin: Origin
    conversation: str
    at: datetime
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Questions that ask the same, the most frequent group first; `answer` is a colleague's, to be edited."""

    id: str
    question: str
    answer: str
    asked: tuple[AskedQuestion, ...]

    @property
    def origins(self) -> dict[str, int]:
        return {origin: sum(one.origin == origin for one in self.asked) for origin in ("gap", "thumbs down")}


async def suggestions(gaps: KnowledgeGaps, database: Database, embedder: Embedder) -> list[Suggestion]:
    """Suggestions that nobody has decided about yet. Raises EmbeddingsFailed."""
    asked = [
        AskedQuestion(gap.question, "gap", conversation, datetime.fromisoformat(gap.at))
        for conversation, gap in await gaps.all()
        if not gap.staff
    ]
    async with database.reading() as connection:
        asked += await _disliked(connection)
        asked = sorted(asked, key=lambda one: one.at, reverse=True)[:_MOST]
        asked = [await _with_answer(connection, one) for one in asked]
    done = await decided(database)
    groups = await _grouped([one for one in asked if question_words(one.question)], embedder)
    found = (_suggestion(group) for group in groups)
    return sorted((one for one in found if one.id not in done), key=lambda one: -len(one.asked))


def _suggestion(group: Sequence[AskedQuestion]) -> Suggestion:
    oldest = min(group, key=lambda one: one.at)
    answer = next((one.answer for one in group if one.answer), "")
    name = hashlib.sha256(" ".join(question_words(oldest.question)).encode()).hexdigest()[:_DIGITS]
    return Suggestion(name, oldest.question, answer, tuple(group))


async def _grouped(asked: Sequence[AskedQuestion], embedder: Embedder) -> list[list[AskedQuestion]]:
    """Put each question to the first group whose oldest question asks the same."""
    if not asked:
        return []
    ordered = sorted(asked, key=lambda one: one.at)
    vectors = await embedder.embed([one.question for one in ordered])
    sounds = [frozenset(map(sound_of, question_words(one.question))) for one in ordered]

    def ask_the_same(one: int, other: int) -> bool:
        shared, either = len(sounds[one] & sounds[other]), len(sounds[one] | sounds[other])
        return shared >= either * _SAME_WORDS or float(vectors[one] @ vectors[other]) >= _ALIKE

    groups: list[tuple[int, list[AskedQuestion]]] = []
    for place, one in enumerate(ordered):
        same = (members for first, members in groups if ask_the_same(first, place))
        if (members := next(same, None)) is None:
            groups.append((place, [one]))
        else:
            members.append(one)
    return [members for _, members in groups]


async def _disliked(connection: AsyncConnection) -> list[AskedQuestion]:
    """Questions whose answer has a thumbs down."""
    ours = and_(DELIVERIES.c.conversation == CHANGES.c.conversation, DELIVERIES.c.wamid == CHANGES.c.target)
    query = (
        select(CHANGES.c.conversation, DELIVERIES.c.name, CHANGES.c.at)
        .join(DELIVERIES, ours)
        .where(CHANGES.c.kind == "reaction", CHANGES.c.value.startswith(_THUMBS_DOWN))
        .order_by(CHANGES.c.at.desc())
        .limit(_MOST)
    )
    found: list[AskedQuestion] = []
    for row in (await connection.execute(query)).all():
        sent = MESSAGES.c.conversation == row.conversation
        at = (await connection.execute(select(MESSAGES.c.at).where(sent, MESSAGES.c.name == row.name))).scalar()
        before = (
            select(MESSAGES.c.body, MESSAGES.c.transcript)
            .where(sent, MESSAGES.c.author == "customer", MESSAGES.c.at <= (at or row.at))
            .order_by(MESSAGES.c.at.desc(), MESSAGES.c.seq.desc())
            .limit(1)
        )
        said = (await connection.execute(before)).one_or_none()
        words = redacted((said.body or said.transcript or "") if said else "", None)
        if words:
            found.append(AskedQuestion(words, "thumbs down", row.conversation, row.at))
    return found


async def _with_answer(connection: AsyncConnection, asked: AskedQuestion) -> AskedQuestion:
    """Add the first answer that a colleague wrote within a day."""
    after = and_(MESSAGES.c.at > asked.at, MESSAGES.c.at <= asked.at + _ANSWERED_WITHIN)
    query = (
        select(MESSAGES.c.body)
        .where(MESSAGES.c.conversation == asked.conversation, MESSAGES.c.author == "operator", after)
        .order_by(MESSAGES.c.at, MESSAGES.c.seq)
        .limit(1)
    )
    answer = (await connection.execute(query)).scalar()
    return replace(asked, answer=redacted(answer, None)) if answer else asked

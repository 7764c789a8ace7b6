"""Suggested questions and answers: questions that ask the same, in one group with a draft of the answer.

Nothing learns by itself: a person edits and accepts a suggestion, and the next sync has it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.database.engine import Database
from bot.knowledge.answers import decided
from bot.knowledge.asked_questions import AskedQuestion, asked_questions
from bot.knowledge.embeddings import Embedder
from bot.knowledge.gaps import KnowledgeGaps
from bot.knowledge.words import question_words, sound_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# Questions whose vectors are as alike as this ask the same.
_ALIKE, _SAME_WORDS = 0.75, 0.6
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Questions that ask the same, the most frequent group first; `answer` is a colleague's, to be edited."""

    id: str
    question: str
    answer: str
    asked: tuple[AskedQuestion, ...]

    @property
    def origins(self) -> dict[str, int]:
        return dict(Counter(one.origin for one in self.asked))


async def suggestions(
    gaps: KnowledgeGaps, database: Database, embedder: Embedder, staff: Collection[str] = ()
) -> list[Suggestion]:
    """Suggestions that nobody has decided about yet. Raises EmbeddingsFailed."""
    done = await decided(database)
    groups = await _grouped(await asked_questions(gaps, database, staff), embedder)
    found = (_suggestion(group) for group in groups)
    return sorted((one for one in found if one.id not in done), key=lambda one: -len(one.asked))


def suggestion_name(question: str) -> str:
    """The name of the suggestion whose oldest question this is."""
    return hashlib.sha256(" ".join(question_words(question)).encode()).hexdigest()[:_DIGITS]


def _suggestion(group: Sequence[AskedQuestion]) -> Suggestion:
    oldest = min(group, key=lambda one: one.at)
    answer = next((one.answer for one in group if one.answer), "")
    return Suggestion(suggestion_name(oldest.question), oldest.question, answer, tuple(group))


async def _grouped(asked: Sequence[AskedQuestion], embedder: Embedder) -> list[list[AskedQuestion]]:
    """Put each question to the first group whose oldest question asks the same."""
    if not asked:
        return []
    ordered = sorted(asked, key=lambda one: one.at)
    vectors = await embedder.embed([one.question for one in ordered])
    # Each question is compared with each group, which takes hundreds of milliseconds where all ask something else.
    return await asyncio.to_thread(_groups_of, ordered, vectors)


def _groups_of(ordered: Sequence[AskedQuestion], vectors: Vectors) -> list[list[AskedQuestion]]:
    sounds = [frozenset(map(sound_of, question_words(one.question))) for one in ordered]
    likeness: list[list[float]] = (vectors @ vectors.T).tolist()

    def ask_the_same(one: int, other: int) -> bool:
        if likeness[one][other] >= _ALIKE:
            return True
        shared = len(sounds[one] & sounds[other])
        return shared >= (len(sounds[one]) + len(sounds[other]) - shared) * _SAME_WORDS

    groups: list[tuple[int, list[AskedQuestion]]] = []
    for place, one in enumerate(ordered):
        same = (members for first, members in groups if ask_the_same(first, place))
        if (members := next(same, None)) is None:
            groups.append((place, [one]))
        else:
            members.append(one)
    return [members for _, members in groups]

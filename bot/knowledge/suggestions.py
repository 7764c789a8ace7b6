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
        return dict(Counter(question.origin for question in self.asked))


async def suggestions(
    gaps: KnowledgeGaps, database: Database, embedder: Embedder, staff: Collection[str] = ()
) -> list[Suggestion]:
    """Suggestions that nobody has decided about yet. Raises EmbeddingsFailed."""
    done = await decided(database)
    groups = await _grouped(await asked_questions(gaps, database, staff), embedder)
    found = (_suggestion(group) for group in groups)
    return sorted(
        (suggestion for suggestion in found if suggestion.id not in done), key=lambda suggestion: -len(suggestion.asked)
    )


def suggestion_name(question: str) -> str:
    """The name of the suggestion whose oldest question this is."""
    return hashlib.sha256(" ".join(question_words(question)).encode()).hexdigest()[:_DIGITS]


def _suggestion(group: Sequence[AskedQuestion]) -> Suggestion:
    oldest = min(group, key=lambda question: question.at)
    answer = next((question.answer for question in group if question.answer), "")
    return Suggestion(suggestion_name(oldest.question), oldest.question, answer, tuple(group))


async def _grouped(asked: Sequence[AskedQuestion], embedder: Embedder) -> list[list[AskedQuestion]]:
    """Put each question to the first group whose oldest question asks the same."""
    if not asked:
        return []
    ordered = sorted(asked, key=lambda question: question.at)
    vectors = await embedder.embed([question.question for question in ordered])
    # Each question is compared with each group, which takes hundreds of milliseconds where all ask something else.
    return await asyncio.to_thread(_groups_of, ordered, vectors)


def _groups_of(ordered: Sequence[AskedQuestion], vectors: Vectors) -> list[list[AskedQuestion]]:
    sounds = [frozenset(map(sound_of, question_words(question.question))) for question in ordered]
    likeness: list[list[float]] = (vectors @ vectors.T).tolist()

    def ask_the_same(place: int, other: int) -> bool:
        if likeness[place][other] >= _ALIKE:
            return True
        shared = len(sounds[place] & sounds[other])
        return shared >= (len(sounds[place]) + len(sounds[other]) - shared) * _SAME_WORDS

    groups: list[tuple[int, list[AskedQuestion]]] = []
    for place, question in enumerate(ordered):
        same = (members for first, members in groups if ask_the_same(first, place))
        if (members := next(same, None)) is None:
            groups.append((place, [question]))
        else:
            members.append(question)
    return [members for _, members in groups]

"""Search of passages in memory: rankings by words and by meaning, over all passages that the person may read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from bot.knowledge.document import Audience, KnowledgeDocument
from bot.knowledge.evidence import Found, Rankings, Row, best_of, highest
from bot.knowledge.passages import units_of
from bot.knowledge.word_ranking import WordRanking
from bot.knowledge.words import question_words, spoken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Scores = NDArray[np.float32]
    Places = NDArray[np.int64]

Allows = Callable[[KnowledgeDocument], bool]
_MANY, _COMPARED = 3000, 200


class SearchableIndex(Protocol):
    @property
    def count(self) -> int:
        """Number of passages."""
        ...

    async def find(self, question: str, vectors: Vectors, allows: Allows, limit: int = 5) -> Found:
        """Find passages of documents that `allows` lets through; `vectors` are those of `question_texts`."""
        ...


class KnowledgeIndex:
    """Passages of documents, and the vectors of their units in the order of `units_of`.

    A passage's own vector is the mean of its units'.
    """

    def __init__(self, documents: Sequence[KnowledgeDocument], vectors: Sequence[Vectors]) -> None:
        import numpy as np  # noqa: PLC0415 - for those who search alone

        from bot.knowledge.compact_vectors import CoarseVectors, CompactVectors  # noqa: PLC0415 - as above

        self.rows = [Row(document, passage) for document in documents for passage in document.passages]
        self._documents = list(documents)
        self._owner = np.repeat(np.arange(len(documents)), [len(document.passages) for document in documents])
        kept = [one for one in vectors if one.size]
        units = np.concatenate(kept) if kept else np.zeros((0, 1), np.float32)
        counts = np.array([len(units_of(row.passage)) for row in self.rows], np.int64)
        if units.shape[0] != int(counts.sum()):
            raise ValueError("the vectors are not those of these passages")
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts
        means = np.add.reduceat(units, self._starts, axis=0) if len(self.rows) else units
        whole = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.float32(1e-9))
        self._coarse = CoarseVectors(whole) if len(self.rows) > _MANY else None
        self._whole, self._units = CompactVectors(whole), CompactVectors(units)
        self._words = WordRanking.of([(indexed_text(row), row.document.language or "es") for row in self.rows])
        self._is_pair = np.array([bool(row.passage.questions) for row in self.rows], bool)

    @property
    def count(self) -> int:
        return len(self.rows)

    async def find(self, question: str, vectors: Vectors, allows: Allows, limit: int = 5) -> Found:
        """Search, off the loop."""
        return await asyncio.to_thread(self.search, question, vectors, allows, limit)

    def search(self, question: str, vectors: Vectors, allows: Allows, limit: int = 5) -> Found:
        """Find passages of documents that `allows` lets through; `vectors` are those of `question_texts`."""
        import numpy as np  # noqa: PLC0415 - as above

        readable = np.array([allows(document) for document in self._documents], bool)
        permitted = np.flatnonzero(readable[self._owner]) if readable.size else np.zeros(0, np.int64)
        if not permitted.size:
            return Found(())
        words = question_words(question)
        by_words = [scores[permitted] for scores in self._words.scores(words)]
        meaning, whole = self._meaning(vectors, permitted, by_words)
        usual = float(np.median(meaning))

        def row_of(at: int) -> Row:
            return self.rows[int(permitted[at])]

        rankings = Rankings(by_words[0], by_words[1], by_words[2], meaning, whole)
        return Found(tuple(best_of(question, words, rankings, row_of, usual)[:limit]))

    def _meaning(self, vectors: Vectors, permitted: Places, by_words: Sequence[Scores]) -> tuple[Scores, Scores]:
        """Likeness to the question of each passage's best unit, and of the whole passage.

        Among many passages, the likeliest ones and answered questions are compared, others roughly.
        """
        import numpy as np  # noqa: PLC0415 - as above

        chosen = np.arange(permitted.size)
        if self._coarse is None or permitted.size <= _MANY:
            whole = self._whole.likeness(permitted, vectors)
        else:
            whole = self._coarse.likeness(vectors)[permitted]
            likely = [highest(scores, _COMPARED) for scores in (*by_words, whole)]
            chosen = np.unique(np.concatenate([*likely, np.flatnonzero(self._is_pair[permitted])]))
            whole[chosen] = self._whole.likeness(permitted[chosen], vectors)
        starts, ends = self._starts[permitted[chosen]], self._ends[permitted[chosen]]
        counts = ends - starts
        before = np.cumsum(counts) - counts
        units = np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
        meaning: Scores = whole.copy()
        meaning[chosen] = np.maximum.reduceat(self._units.likeness(units, vectors), before)
        return meaning, whole


def question_texts(question: str) -> list[str]:
    """The question as it is, and written out, for a model of meaning."""
    return list(dict.fromkeys((question, spoken(question))))


def allowed(audience: Audience, day: date) -> Allows:
    """Staff may read everything, customers what is for them; both only what is valid on this day."""
    return lambda document: document.holds_on(day) and (audience == "staff" or document.audience == "customer")


def indexed_text(row: Row) -> str:
    """The words by which a passage is found: its own, the questions that it answers, and the document's title."""
    return "\n".join((*row.passage.questions, row.passage.text, row.document.title))

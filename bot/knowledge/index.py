"""Search of passages in memory: rankings by words and by meaning choose candidates, which are then judged.

Abbreviations of shapes: P passages, U units of all passages, Q vectors of a question, D numbers in a vector.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.knowledge.document import KnowledgeDocument
from bot.knowledge.judge import Judge, MeaningScores
from bot.knowledge.passages import units_of
from bot.knowledge.rank_fusion import highest
from bot.knowledge.scale import EMBEDDED, LikenessScale
from bot.knowledge.search_result import Allows, Found, Row
from bot.knowledge.word_ranking import WordRanking
from bot.knowledge.words import gist, question_words, spoken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    AnyVectors = NDArray[np.floating[Any]]
    Scores = NDArray[np.float32]
    Places = NDArray[np.int64]

# Among more passages than this, only the first of each ranking are compared exactly.
_MANY = 3000
_COMPARED = 200


class KnowledgeIndex:
    """Passages of documents, with the vectors of their units.

    `vectors` has an array (units of the document, D) for each document, in the order of `units_of`. The vector of a
    whole passage is the mean of its units' vectors, at length 1.
    """

    def __init__(
        self,
        documents: Sequence[KnowledgeDocument],
        vectors: Sequence[AnyVectors],
        scale: LikenessScale = EMBEDDED,
    ) -> None:
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        from bot.knowledge.compact_vectors import CoarseVectors, CompactVectors  # noqa: PLC0415 - loads numpy

        self._scale = scale
        self._documents = list(documents)
        self.rows = [Row(document, passage) for document in documents for passage in document.passages]
        self._document_of = np.repeat(np.arange(len(documents)), [len(document.passages) for document in documents])
        unit_counts = np.array([len(units_of(row.passage)) for row in self.rows], np.int64)
        # Units of the passage p are at self._first_unit[p] to self._end_unit[p] - 1.
        self._end_unit = np.cumsum(unit_counts)
        self._first_unit = self._end_unit - unit_counts
        per_document = [units for units in vectors if units.size]
        if sum(map(len, per_document)) != int(unit_counts.sum()):
            raise ValueError("the vectors are not those of these passages")
        sums = self._sums(per_document)
        lengths = np.maximum(np.linalg.norm(sums, axis=1), np.float32(1e-9))
        whole = sums / lengths[:, None]
        self._coarse = CoarseVectors(whole) if len(self.rows) > _MANY else None
        self._whole, self._units = CompactVectors([whole]), CompactVectors(per_document)
        self._scaled_whole = scale.of_means(lengths / np.maximum(unit_counts, 1).astype(np.float32))
        self._words = WordRanking.of([(indexed_text(row), row.document.language or "es") for row in self.rows])
        self._is_pair = np.array([bool(row.passage.questions) for row in self.rows], bool)

    def _sums(self, per_document: Sequence[AnyVectors]) -> Vectors:
        """Sum of each passage's unit vectors, (P, D), document by document, so that no array holds all units."""
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        sums = np.zeros((len(self.rows), per_document[0].shape[1] if per_document else 1), np.float32)
        begin = 0
        for document_vectors in per_document:
            end = begin + len(document_vectors)
            first, last = np.searchsorted(self._first_unit, (begin, end))
            units = np.asarray(document_vectors, np.float32)
            sums[first:last] = np.add.reduceat(units, self._first_unit[first:last] - begin, axis=0)
            begin = end
        return sums

    @property
    def count(self) -> int:
        return len(self.rows)

    async def find(self, question: str, vectors: Vectors, allows: Allows, limit: int = 5) -> Found:
        """Run `search` in a thread, because it takes milliseconds of CPU."""
        return await asyncio.to_thread(self.search, question, vectors, allows, limit)

    def search(self, question: str, vectors: Vectors, allows: Allows, limit: int = 5) -> Found:
        """Find passages of documents for which `allows` is true.

        `vectors` are those of `question_texts`, (Q, D): the last is of the gist, the others are of the whole question.
        """
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        readable = np.array([allows(document) for document in self._documents], bool)
        permitted = np.flatnonzero(readable[self._document_of]) if readable.size else np.zeros(0, np.int64)
        if not permitted.size:
            return Found(())
        by_words = self._words.scores(question_words(question)).only(permitted)
        usual_gist = None
        if self._coarse is not None and permitted.size > _MANY:
            rough = self._coarse.likeness(vectors)[:, permitted]
            usual_gist = float(self._scale.applied(np.median(rough[-1:], axis=1))[0])
            likely = self._likely(permitted, (*by_words.rankings, rough[:-1].max(axis=0)))
            permitted, by_words = permitted[likely], by_words.only(likely)
        judge = Judge(question, by_words, self._meaning(vectors, permitted), usual_gist)
        return Found(tuple(judge.best(lambda place: self.rows[int(permitted[place])])[:limit]))

    def _likely(self, permitted: Places, rankings: Sequence[Scores]) -> Places:
        """Places in `permitted` of the first passages of each ranking, and of all answered questions."""
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        first = [highest(scores, _COMPARED) for scores in rankings]
        likely: Places = np.unique(np.concatenate([*first, np.flatnonzero(self._is_pair[permitted])]))
        return likely

    def _meaning(self, vectors: Vectors, passages: Places) -> MeaningScores:
        """Likenesses of these passages to the question's vectors, (Q, D)."""
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        counts = self._end_unit[passages] - self._first_unit[passages]
        # Where each passage begins among the units of these passages alone, and the places of those units among all.
        begins = np.cumsum(counts) - counts
        units = np.arange(int(counts.sum())) + np.repeat(self._first_unit[passages] - begins, counts)
        best = np.maximum.reduceat(self._units.likeness(units, vectors), begins, axis=1)
        whole: Scores = self._whole.likeness(passages, vectors[:-1]).max(axis=0)
        scaled = self._scale.applied
        return MeaningScores(scaled(best[:-1].max(axis=0)), self._scaled_whole(whole, passages), scaled(best[-1]))


def question_texts(question: str) -> list[str]:
    """Texts of a question whose vectors a search takes: as it is, with abbreviations written out, and its gist last."""
    return [question, spoken(question), gist(question) or question]


def indexed_text(row: Row) -> str:
    """Text by whose words a passage is found: its own, the questions that it answers, and the document's title."""
    return "\n".join((*row.passage.questions, row.passage.text, row.document.title))

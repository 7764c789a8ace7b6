"""Search of passages: rankings by words and by meaning, fused by reciprocal rank, and the judgement of the best."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bot.knowledge.answer_forms import forms_asked, forms_held
from bot.knowledge.document import Audience, KnowledgeDocument, Passage
from bot.knowledge.evidence import LAST_PLACE, MOST_STEMS, MOST_WORDS, THRESHOLD, PassageEvidence
from bot.knowledge.foreign import is_foreign
from bot.knowledge.passages import units_of
from bot.knowledge.scale import EMBEDDED, LikenessScale
from bot.knowledge.word_ranking import WordRanking, WordScores
from bot.knowledge.words import gist, question_words, spoken, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    AnyVectors = NDArray[np.floating[Any]]
    Scores = NDArray[np.float32]
    Places = NDArray[np.int64]

# Each ranking gives its first passages; `1 / (RANK_OFFSET + rank)` is their sum.
RANK_OFFSET = 5
CANDIDATES = 50
_BEST = 3
_MANY, _COMPARED = 3000, 200
Allows = Callable[[KnowledgeDocument], bool]


@dataclass(frozen=True, slots=True)
class PassageHit:
    """A passage that was found; `score` is its confidence of 0 to 1."""

    document: KnowledgeDocument
    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """Passages, the best first."""

    hits: tuple[PassageHit, ...]

    @property
    def confidence(self) -> float:
        return max((hit.score for hit in self.hits[:_BEST]), default=0.0)

    @property
    def is_enough(self) -> bool:
        """Whether one of the best passages is likely to answer the question."""
        return self.confidence >= THRESHOLD


def falling(hits: Sequence[PassageHit]) -> list[PassageHit]:
    """The hits in their order, with scores that never rise: the confidence that this one or a later one answers.

    Order and confidence are weighed apart. Beyond the best, which decide whether anything answers, a score is at
    most the one before it.
    """
    scores = [hit.score for hit in hits]
    for at in range(min(_BEST, len(scores)) - 2, -1, -1):
        scores[at] = max(scores[at], scores[at + 1])
    for at in range(_BEST, len(scores)):
        scores[at] = min(scores[at], scores[at - 1])
    return [replace(hit, score=score) for hit, score in zip(hits, scores, strict=True)]


class Row(NamedTuple):
    """A passage of a document."""

    document: KnowledgeDocument
    passage: Passage


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

    def __init__(
        self,
        documents: Sequence[KnowledgeDocument],
        vectors: Sequence[AnyVectors],
        scale: LikenessScale = EMBEDDED,
    ) -> None:
        import numpy as np  # noqa: PLC0415 - for those who search alone

        from bot.knowledge.compact_vectors import CoarseVectors, CompactVectors  # noqa: PLC0415 - as above

        self._scale = scale
        self.rows = [Row(document, passage) for document in documents for passage in document.passages]
        self._documents = list(documents)
        self._owner = np.repeat(np.arange(len(documents)), [len(document.passages) for document in documents])
        kept = [one for one in vectors if one.size]
        counts = np.array([len(units_of(row.passage)) for row in self.rows], np.int64)
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts
        if sum(map(len, kept)) != int(counts.sum()):
            raise ValueError("the vectors are not those of these passages")
        sums = self._sums(kept)
        lengths = np.maximum(np.linalg.norm(sums, axis=1), np.float32(1e-9))
        whole = sums / lengths[:, None]
        self._coarse = CoarseVectors(whole) if len(self.rows) > _MANY else None
        self._whole, self._units = CompactVectors([whole]), CompactVectors(kept)
        self._scaled_whole = scale.of_means(lengths / np.maximum(counts, 1).astype(np.float32))
        self._words = WordRanking.of([(indexed_text(row), row.document.language or "es") for row in self.rows])
        self._is_pair = np.array([bool(row.passage.questions) for row in self.rows], bool)

    def _sums(self, vectors: Sequence[AnyVectors]) -> Vectors:
        """Sum of the units of each passage, without a copy of all units."""
        import numpy as np  # noqa: PLC0415 - as above

        sums = np.zeros((len(self.rows), vectors[0].shape[1] if vectors else 1), np.float32)
        begin = 0
        for some in vectors:
            end = begin + len(some)
            first, last = np.searchsorted(self._starts, (begin, end))
            units = np.asarray(some, np.float32)
            sums[first:last] = np.add.reduceat(units, self._starts[first:last] - begin, axis=0)
            begin = end
        return sums

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
        by_words = self._words.scores(question_words(question)).of(permitted)
        usual_gist = None
        if self._coarse is not None and permitted.size > _MANY:
            roughly = self._coarse.likeness(vectors)[:, permitted]
            usual_gist = float(self._scale.applied(np.median(roughly[-1:], axis=1))[0])
            chosen = self._likely(permitted, (*by_words.rankings, roughly[:-1].max(axis=0)))
            permitted, by_words = permitted[chosen], by_words.of(chosen)
        judge = Judge(question, by_words, self._meaning(vectors, permitted), usual_gist)
        return Found(tuple(judge.best(lambda at: self.rows[int(permitted[at])])[:limit]))

    def _likely(self, permitted: Places, rankings: Sequence[Scores]) -> Places:
        """The first of each ranking and answered questions: among many passages these alone are compared."""
        import numpy as np  # noqa: PLC0415 - as above

        first = [highest(scores, _COMPARED) for scores in rankings]
        found: Places = np.unique(np.concatenate([*first, np.flatnonzero(self._is_pair[permitted])]))
        return found

    def _meaning(self, vectors: Vectors, places: Places) -> MeaningScores:
        """Likeness to the question, and to its gist, of each passage's best unit and of the whole passage."""
        import numpy as np  # noqa: PLC0415 - as above

        counts = self._ends[places] - self._starts[places]
        begins = np.cumsum(counts) - counts
        units = np.arange(int(counts.sum())) + np.repeat(self._starts[places] - begins, counts)
        best = np.maximum.reduceat(self._units.likeness(units, vectors), begins, axis=1)
        whole: Scores = self._whole.likeness(places, vectors[:-1]).max(axis=0)
        scaled = self._scale.applied
        return MeaningScores(scaled(best[:-1].max(axis=0)), self._scaled_whole(whole, places), scaled(best[-1]))


class MeaningScores(NamedTuple):
    """Likeness of each passage's best unit, of the whole passage, and of the best unit to the question's gist."""

    units: Scores
    whole: Scores
    gist: Scores


class Judge:
    """Gathers the evidence of passages for one question.

    `usual_gist` is the likeness that all passages have to its gist, where `meaning` is of some of them.
    """

    def __init__(
        self, question: str, by_words: WordScores, meaning: MeaningScores, usual_gist: float | None = None
    ) -> None:
        import numpy as np  # noqa: PLC0415 - as above

        self._by_words = by_words
        self._meaning = meaning
        self._asked = forms_asked(question)
        self._is_foreign = is_foreign(question)
        self._numbers = _numbers_of(question)
        self._best_stem = max(float(by_words.stems.max()), 1e-6)
        self._usual_gist = float(np.median(meaning.gist)) if usual_gist is None else usual_gist
        self._best = {name: _highest(getattr(meaning, name), 2) for name in ("units", "whole")}
        self._first_covers = _highest(by_words.covered, LAST_PLACE)
        self._first_gists = _highest(meaning.gist, LAST_PLACE)

    def best(self, row_of: Callable[[int], Row]) -> list[PassageHit]:
        """The candidates of the rankings, the best first."""
        found: list[tuple[float, PassageHit]] = []
        for at in _fused([*self._by_words.rankings, self._meaning.units, self._meaning.whole]):
            row = row_of(at)
            evidence = self._evidence(at, row.passage)
            found.append((evidence.order, PassageHit(*row, evidence.confidence)))
        found.sort(key=lambda one: -one[0])
        return [hit for _, hit in found]

    def _evidence(self, at: int, passage: Passage) -> PassageEvidence:
        words, meaning = self._by_words, self._meaning
        stem, covered, gist = float(words.stems[at]), float(words.covered[at]), float(meaning.gist[at])
        form = len(forms_held(passage.text, self._asked)) / max(len(self._asked), 1)
        telling = max(words.words, 1)
        return PassageEvidence(
            stems=stem / self._best_stem,
            stems_a_word=min(stem / telling, MOST_STEMS),
            covered=covered,
            key_covered=float(words.key_covered[at]),
            cover_rank=_log_place(self._first_covers, covered),
            meaning=float(meaning.units[at]),
            whole=float(meaning.whole[at]),
            gist=gist,
            gist_lead=gist - self._usual_gist,
            gist_rank=_log_place(self._first_gists, gist),
            meaning_margin=_margin(self._best["units"], float(meaning.units[at])),
            whole_margin=_margin(self._best["whole"], float(meaning.whole[at])),
            form=form,
            lacks_form=1 - form if self._asked else 0.0,
            words=min(telling, MOST_WORDS),
            key_words=min(words.key_words, MOST_WORDS),
            is_pair=float(bool(passage.questions)),
            is_foreign=self._is_foreign,
            same_numbers=not self._numbers or self._numbers <= _numbers_of(" ".join(passage.questions)),
        )


def _numbers_of(text: str) -> frozenset[str]:
    return frozenset(word for word in words_of(text) if word[0].isdigit())


def _highest(scores: Scores, count: int) -> list[float]:
    """The highest scores, the highest first."""
    return [float(scores[at]) for at in highest(scores, count)]


def _log_place(highest: Sequence[float], score: float) -> float:
    return math.log1p(sum(one > score for one in highest))


def _margin(highest: Sequence[float], score: float) -> float:
    """Distance of the best score to the next one, or of another to the best."""
    return score - highest[-1 if score >= highest[0] else 0]


def question_texts(question: str) -> list[str]:
    """The question as it is and written out, and at last its telling words alone, for a model of meaning."""
    return [question, spoken(question), gist(question) or question]


def allowed(audience: Audience, day: date) -> Allows:
    """Staff may read everything, customers what is for them; both only what is valid on this day."""
    return lambda document: document.holds_on(day) and (audience == "staff" or document.audience == "customer")


def _fused(rankings: Sequence[Scores]) -> list[int]:
    """The candidates by reciprocal rank; equals share a rank, and a passage without a score gets none."""
    import numpy as np  # noqa: PLC0415 - as above

    total = np.zeros(rankings[0].shape[0], np.float64)
    for scores in rankings:
        first = highest(scores, CANDIDATES)
        ranks = np.searchsorted(-scores[first], -scores[first], side="left")
        total[first] += np.where(scores[first] > 0, 1 / (RANK_OFFSET + ranks), 0)
    return [int(at) for at in highest(total, CANDIDATES) if total[at] > 0]


def highest(scores: Any, count: int) -> Places:
    """Places of the highest scores, the highest first; of equals, the earlier."""
    import numpy as np  # noqa: PLC0415 - as above

    places = np.arange(scores.shape[0])
    if scores.shape[0] > count:
        # Because most passages hold no word of a question, their equal scores are not sorted.
        lowest = np.partition(scores, -count)[-count]
        above = np.flatnonzero(scores > lowest)
        places = np.concatenate([above, np.flatnonzero(scores == lowest)[: count - above.size]])
    found: Places = places[np.argsort(-scores[places], kind="stable")]
    return found


def indexed_text(row: Row) -> str:
    """The words by which a passage is found: its own, the questions that it answers, and the document's title."""
    return "\n".join((*row.passage.questions, row.passage.text, row.document.title))

"""Search of passages: three rankings, fused by reciprocal rank, and whether the best passage is good enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.knowledge.answer_forms import forms_asked, forms_held
from bot.knowledge.document import Audience, KnowledgeDocument, Passage
from bot.knowledge.passages import units_of
from bot.knowledge.word_ranking import WordRanking
from bot.knowledge.words import question_words, spoken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Scores = NDArray[np.float32]
    Places = NDArray[np.int64]

# Calibrated on the questions of fixtures/knowledge with even numbers; docs/knowledge.md reports the others.
# Each ranking gives its first passages; `weight / (RANK_OFFSET + rank)` is their sum.
RANK_OFFSET = 5
CANDIDATES = 50
# Weights of the evidence that orders the candidates.
ORDER = {"stems": 0.65, "sounds": 0.05, "covered": 0.8, "meaning": 0.4, "whole": 1.1, "form": 0.3, "is_pair": -0.3}
# A logistic regression of the same evidence: the probability that a passage answers.
BIAS = -8.15
CONFIDENCE = {
    "covered": 5.1,
    "meaning": 0.31,
    "whole": 3.56,
    "stems_a_word": 1.39,
    "lead": 2.52,
    "words": 0.9,
    "is_pair": -1.82,
}
THRESHOLD = 0.5
# A question that people have answered wins from this likeness on.
SURE_PAIR = 0.8
_MOST_STEMS, _MOST_WORDS, _USUAL = 4.0, 6, 0.3
_BEST = 3
_FIRST = 100.0
_MANY, _COMPARED = 3000, 300


class PassageEvidence(NamedTuple):
    """Signs that a passage answers a question.

    `stems` and `sounds` are shares of the best passage's, `covered` is the share of the question's words, `meaning` the
    likeness of the best unit and `whole` that of the passage, `lead` how far that is above what all texts have, `form`
    the share of the forms (an amount, a time) that the question asks for. Short questions look like each other, so
    `is_pair` counts against a pair unless its question is nearly the same.
    """

    stems: float
    sounds: float
    stems_a_word: float
    covered: float
    meaning: float
    whole: float
    lead: float
    form: float
    words: float
    is_pair: float

    def weighed(self, weights: Mapping[str, float]) -> float:
        return sum(weight * float(getattr(self, name)) for name, weight in weights.items())

    @property
    def confidence(self) -> float:
        """Probability that the passage answers the question."""
        if self.is_pair and self.meaning >= SURE_PAIR:
            return self.meaning
        return 1 / (1 + math.exp(-max(min(BIAS + self.weighed(CONFIDENCE), 30), -30)))


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


class KnowledgeIndex:
    """Passages of documents, and the vectors of their units in the order of `units_of`.

    A passage's own vector is the mean of its units'. Units are held at half precision, because only those of
    candidates are compared.
    """

    def __init__(self, documents: Sequence[KnowledgeDocument], vectors: Sequence[Vectors]) -> None:
        import numpy as np  # noqa: PLC0415 - for those who search alone

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
        self._whole = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.float32(1e-9))
        self._units = units.astype(np.float16)
        texts = [(_indexed(row), row.document.language or "es") for row in self.rows]
        self._words = WordRanking(texts)
        self._forms = [forms_held(row.passage.text) for row in self.rows]
        self._is_pair = np.array([bool(row.passage.questions) for row in self.rows], bool)

    def search(
        self, question: str, vectors: Vectors, allows: Callable[[KnowledgeDocument], bool], limit: int = 5
    ) -> Found:
        """Find passages of documents that `allows` lets through; `vectors` are those of `question_texts`."""
        import numpy as np  # noqa: PLC0415 - as above

        readable = np.array([allows(document) for document in self._documents], bool)
        permitted = np.flatnonzero(readable[self._owner]) if readable.size else np.zeros(0, np.int64)
        if not permitted.size:
            return Found(())
        words = question_words(question)
        by_words = [scores[permitted] for scores in self._words.scores(words)]
        rankings = [*by_words, *self._meaning(vectors, permitted, by_words)]
        candidates = _fused(rankings)
        by_stem, by_sound, covered, meaning, whole = rankings
        usual = min(float(np.median(meaning)), _USUAL)
        asked, telling = forms_asked(question), max(len(words), 1)
        best_stem, best_sound = max(float(by_stem.max()), 1e-6), max(float(by_sound.max()), 1e-6)
        found: list[tuple[float, PassageHit]] = []
        for at in candidates:
            place = int(permitted[at])
            evidence = PassageEvidence(
                stems=float(by_stem[at]) / best_stem,
                sounds=float(by_sound[at]) / best_sound,
                stems_a_word=min(float(by_stem[at]) / telling, _MOST_STEMS),
                covered=float(covered[at]),
                meaning=float(meaning[at]),
                whole=float(whole[at]),
                lead=float(meaning[at]) - usual,
                form=len(asked & self._forms[place]) / len(asked) if asked else 0.0,
                words=min(telling, _MOST_WORDS),
                is_pair=float(self._is_pair[place]),
            )
            order = evidence.weighed(ORDER)
            wins = evidence.is_pair and evidence.meaning >= SURE_PAIR
            found.append((order + wins * _FIRST, PassageHit(*self.rows[place], evidence.confidence)))
        found.sort(key=lambda one: -one[0])
        return Found(tuple(hit for _, hit in found[:limit]))

    def _meaning(self, vectors: Vectors, permitted: Places, by_words: Sequence[Scores]) -> tuple[Scores, Scores]:
        """Likeness to the question of each passage's best unit, and of the whole passage.

        Among many passages, units of the likeliest ones and of answered questions are compared, others by the whole.
        """
        import numpy as np  # noqa: PLC0415 - as above

        whole: Scores = (self._whole[permitted] if permitted.size < len(self.rows) else self._whole) @ vectors.T
        whole = whole.max(axis=1)
        chosen = np.arange(permitted.size)
        if permitted.size > _MANY:
            likely = [_first(scores, _COMPARED) for scores in (*by_words, whole)]
            chosen = np.unique(np.concatenate([*likely, np.flatnonzero(self._is_pair[permitted])]))
        starts, ends = self._starts[permitted[chosen]], self._ends[permitted[chosen]]
        units = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
        likeness = (self._units[units].astype(np.float32) @ vectors.T).max(axis=1)
        meaning: Scores = whole.copy()
        meaning[chosen] = np.maximum.reduceat(likeness, np.cumsum(ends - starts) - (ends - starts))
        return meaning, whole


def question_texts(question: str) -> list[str]:
    """The question as it is, and written out, for a model of meaning."""
    return list(dict.fromkeys((question, spoken(question))))


def allowed(audience: Audience, day: date) -> Callable[[KnowledgeDocument], bool]:
    """Staff may read everything, customers what is for them; both only what is valid on this day."""
    return lambda document: document.holds_on(day) and (audience == "staff" or document.audience == "customer")


def _fused(rankings: Sequence[Scores]) -> list[int]:
    """The candidates by reciprocal rank; equals share a rank, and a passage without a score gets none."""
    import numpy as np  # noqa: PLC0415 - as above

    total = np.zeros(rankings[0].shape[0], np.float64)
    for scores in rankings:
        first = _first(scores, CANDIDATES)
        ranks = np.searchsorted(-scores[first], -scores[first], side="left")
        total[first] += np.where(scores[first] > 0, 1 / (RANK_OFFSET + ranks), 0)
    return [int(at) for at in _first(total, CANDIDATES) if total[at] > 0]


def _first(scores: Any, count: int) -> Places:
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


def _indexed(row: Row) -> str:
    """The words by which a passage is found: its own, the questions that it answers, and the document's title."""
    return "\n".join((*row.passage.questions, row.passage.text, row.document.title))

"""Evidence that passages answer a question: rankings fused by reciprocal rank, weighed, and whether it is enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.knowledge.answer_forms import forms_asked, forms_held
from bot.knowledge.document import KnowledgeDocument, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


class Row(NamedTuple):
    """A passage of a document."""

    document: KnowledgeDocument
    passage: Passage


class Rankings(NamedTuple):
    """Scores of passages: by stems, by sounds, the share of the question's words, and the likeness of meaning.

    `meaning` is that of the best unit, `whole` that of the passage.
    """

    stems: Scores
    sounds: Scores
    covered: Scores
    meaning: Scores
    whole: Scores


def best_of(
    question: str, words: Sequence[str], rankings: Rankings, row_of: Callable[[int], Row], usual: float
) -> list[PassageHit]:
    """The candidates of the rankings, the best first; `usual` is the likeness of meaning that all texts have."""
    asked, telling = forms_asked(question), max(len(words), 1)
    best_stem, best_sound = (max(float(scores.max()), 1e-6) for scores in (rankings.stems, rankings.sounds))
    found: list[tuple[float, PassageHit]] = []
    for at in _fused(rankings):
        row = row_of(at)
        stems, meaning = float(rankings.stems[at]), float(rankings.meaning[at])
        evidence = PassageEvidence(
            stems=stems / best_stem,
            sounds=float(rankings.sounds[at]) / best_sound,
            stems_a_word=min(stems / telling, _MOST_STEMS),
            covered=float(rankings.covered[at]),
            meaning=meaning,
            whole=float(rankings.whole[at]),
            lead=meaning - min(usual, _USUAL),
            form=len(asked & forms_held(row.passage.text)) / len(asked) if asked else 0.0,
            words=min(telling, _MOST_WORDS),
            is_pair=float(bool(row.passage.questions)),
        )
        order = evidence.weighed(ORDER)
        wins = evidence.is_pair and evidence.meaning >= SURE_PAIR
        found.append((order + wins * _FIRST, PassageHit(*row, evidence.confidence)))
    found.sort(key=lambda one: -one[0])
    return [hit for _, hit in found]


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

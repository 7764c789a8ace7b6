"""Judges candidate passages: gathers the evidence that each answers a question, and orders them by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bot.knowledge.answer_forms import forms_asked, forms_held
from bot.knowledge.document import Passage
from bot.knowledge.evidence import LAST_PLACE, MOST_STEMS, MOST_WORDS, PassageEvidence
from bot.knowledge.foreign import is_foreign
from bot.knowledge.rank_fusion import fused, highest
from bot.knowledge.search_result import PassageHit, Row
from bot.knowledge.word_ranking import WordScores
from bot.knowledge.words import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]


class MeaningScores(NamedTuple):
    """Likenesses (cosines) of passages to a question; each array has the shape (passages,).

    `units` compares the question with the passage's best unit, `whole` with the whole passage, and `gist` compares the
    question's telling words alone with the best unit.
    """

    units: Scores
    whole: Scores
    gist: Scores


class Judge:
    """Orders the passages of one question, and says how likely each answers it.

    `usual_gist` is the likeness of an ordinary passage to the question's gist. Without it, the median of `meaning.gist`
    is taken, which is right if `meaning` covers all passages and not only candidates.
    """

    def __init__(
        self, question: str, by_words: WordScores, meaning: MeaningScores, usual_gist: float | None = None
    ) -> None:
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        self._by_words = by_words
        self._meaning = meaning
        self._asked_forms = forms_asked(question)
        self._is_foreign = is_foreign(question)
        self._numbers = _numbers_of(question)
        self._best_stems = max(float(by_words.stems.max()), 1e-6)
        self._usual_gist = float(np.median(meaning.gist)) if usual_gist is None else usual_gist
        self._two_best_units = _highest_scores(meaning.units, 2)
        self._two_best_wholes = _highest_scores(meaning.whole, 2)
        self._highest_covered = _highest_scores(by_words.covered, LAST_PLACE)
        self._highest_gists = _highest_scores(meaning.gist, LAST_PLACE)

    def best(self, row_at: Callable[[int], Row]) -> list[PassageHit]:
        """The first passages of all rankings, the best first; `row_at` gives the passage at a place of the scores."""
        found: list[tuple[float, PassageHit]] = []
        for place in fused([*self._by_words.rankings, self._meaning.units, self._meaning.whole]):
            row = row_at(place)
            evidence = self._evidence(place, row.passage)
            found.append((evidence.order, PassageHit(*row, evidence.confidence)))
        found.sort(key=lambda weighted: -weighted[0])
        return [hit for _, hit in found]

    def _evidence(self, place: int, passage: Passage) -> PassageEvidence:
        words, meaning = self._by_words, self._meaning
        stems, covered = float(words.stems[place]), float(words.covered[place])
        units, whole, gist = float(meaning.units[place]), float(meaning.whole[place]), float(meaning.gist[place])
        form = len(forms_held(passage.text, self._asked_forms)) / max(len(self._asked_forms), 1)
        word_count = max(words.words, 1)
        return PassageEvidence(
            stems=stems / self._best_stems,
            stems_a_word=min(stems / word_count, MOST_STEMS),
            covered=covered,
            key_covered=float(words.key_covered[place]),
            cover_rank=_log_rank(self._highest_covered, covered),
            meaning=units,
            whole=whole,
            gist=gist,
            gist_lead=gist - self._usual_gist,
            gist_rank=_log_rank(self._highest_gists, gist),
            meaning_margin=_margin(self._two_best_units, units),
            whole_margin=_margin(self._two_best_wholes, whole),
            form=form,
            lacks_form=1 - form if self._asked_forms else 0.0,
            words=min(word_count, MOST_WORDS),
            key_words=min(words.key_words, MOST_WORDS),
            is_pair=float(bool(passage.questions)),
            is_foreign=self._is_foreign,
            same_numbers=not self._numbers or self._numbers <= _numbers_of(" ".join(passage.questions)),
        )


def _numbers_of(text: str) -> frozenset[str]:
    return frozenset(word for word in words_of(text) if word[0].isdigit())


def _highest_scores(scores: Scores, count: int) -> list[float]:
    return [float(scores[place]) for place in highest(scores, count)]


def _log_rank(highest_scores: Sequence[float], score: float) -> float:
    """Logarithm of the score's rank: 0 for the best, at most that of the last place."""
    return math.log1p(sum(higher > score for higher in highest_scores))


def _margin(best_scores: Sequence[float], score: float) -> float:
    """Distance of the best score to the second, which is positive, or of any other score to the best."""
    return score - best_scores[-1 if score >= best_scores[0] else 0]

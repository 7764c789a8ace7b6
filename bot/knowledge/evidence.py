"""Signs that a passage answers a question: they order the passages, and tell whether the best is good enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

# All weights are of the questions of fixtures/knowledge with even numbers; docs/knowledge.md reports the others.
ORDER = {"stems": 3.0, "covered": 6.8, "meaning": 4.6, "whole": 7.0, "form": 1.2, "is_pair": -1.7}
# A logistic regression: the probability that a passage answers, moved so that THRESHOLD refuses nine of ten questions
# that nothing answers.
BIAS = -6.3
CONFIDENCE = {
    "covered": 2.87,
    "key_covered": 2.93,
    "key_words": 0.13,
    "stems_a_word": 1.01,
    "whole": 2.61,
    "gist": -7.51,
    "gist_lead": 2.21,
    "meaning_margin": 4.82,
    "whole_margin": 4.77,
    "cover_rank": -0.84,
    "gist_rank": -0.29,
    "words": 0.93,
    "lacks_form": -1.58,
    "is_pair": -2.54,
}
# The same for a language whose words are in no document, by its vectors alone.
FOREIGN_BIAS = -3.28
FOREIGN_CONFIDENCE = {
    "meaning": 4.27,
    "whole": 2.58,
    "gist": 0.98,
    "gist_lead": 5.27,
    "meaning_margin": 5.44,
    "whole_margin": 3.9,
    "is_pair": -3.77,
}
THRESHOLD = 0.5
# A question that people have answered wins from this likeness on.
SURE_PAIR = 0.8
MOST_STEMS, MOST_WORDS = 4.0, 6
# Ranks are logarithms of places; a later place tells no more.
LAST_PLACE = 19
_FIRST = 100.0
_STEEPEST = 30.0


class PassageEvidence(NamedTuple):
    """Signs that a passage answers a question.

    By words: `stems` is a share of the best passage's score, `stems_a_word` the score for each word of the question.
    `covered` is the share of the question's words that the passage holds, weighed by rarity; `key_covered` is that of
    the telling words. `cover_rank` is the passage's place by `covered`.

    By vectors: `meaning` is the likeness of the best unit, `whole` that of the passage. `gist` compares the telling
    words alone, and `gist_lead` is its distance from the median of all passages. A margin is the distance to the next
    passage, or to the best one.

    `form` is the share of the forms (an amount, a time) that the question asks for. Short questions look like each
    other, so `is_pair` counts against a pair unless its question is nearly the same.
    """

    stems: float
    stems_a_word: float
    covered: float
    key_covered: float
    cover_rank: float
    meaning: float
    whole: float
    gist: float
    gist_lead: float
    gist_rank: float
    meaning_margin: float
    whole_margin: float
    form: float
    lacks_form: float
    words: float
    key_words: float
    is_pair: float
    is_foreign: bool
    same_numbers: bool

    def weighed(self, weights: Mapping[str, float]) -> float:
        return sum(weight * float(getattr(self, name)) for name, weight in weights.items())

    @property
    def is_sure(self) -> bool:
        """Whether people have answered nearly the same question; one about another number is another question."""
        return bool(self.is_pair) and self.meaning >= SURE_PAIR and self.same_numbers

    @property
    def order(self) -> float:
        """Weight by which passages are ordered; answered questions come first."""
        return self.weighed(ORDER) + (_FIRST if self.is_sure else 0.0)

    @property
    def confidence(self) -> float:
        """Probability that the passage answers the question."""
        if self.is_sure:
            return min(self.meaning, 1.0)
        bias, weights = (FOREIGN_BIAS, FOREIGN_CONFIDENCE) if self.is_foreign else (BIAS, CONFIDENCE)
        return 1 / (1 + math.exp(-max(min(bias + self.weighed(weights), _STEEPEST), -_STEEPEST)))

"""Evidence that a passage answers a question, and the two weighted sums of it.

`order` sorts the passages. `confidence` is a logistic regression, 1 / (1 + e^-(BIAS + Σ weight·sign)): the probability
that the passage answers (https://en.wikipedia.org/wiki/Logistic_regression).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

# All weights were fitted to the even-numbered questions of fixtures/knowledge; docs/knowledge.md reports the odd ones.
ORDER = {"stems": 3.0, "covered": 6.8, "meaning": 4.6, "whole": 7.0, "form": 1.2, "is_pair": -1.7}
# BIAS was moved after the fit, so that THRESHOLD refuses nine of ten questions that no passage answers.
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
# For a question whose language is in no document: its words match nothing, so only the vectors count.
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
# From this likeness on, a question is taken for the same as one that a person has answered, and that answer wins.
SURE_PAIR = 0.8
MOST_STEMS, MOST_WORDS = 4.0, 6
# Places in a ranking, from 0; later ones count as this one.
LAST_PLACE = 19
# More than any sum of weights, so that sure pairs come first.
_SURE_PAIR_FIRST = 100.0
# Beyond this the logistic function is 0 or 1 anyway, and math.exp could overflow.
_LARGEST_EXPONENT = 30.0


class PassageEvidence(NamedTuple):
    """Evidence that one passage answers a question.

    By words: `stems` is a share of the best passage's score, `stems_a_word` the score per word of the question.
    `covered` is the share of the question's words that the passage holds, weighted by rarity. `key_covered` is the same
    share of the key words alone, without weights. `cover_rank` is ln(1 + the passage's place by `covered`).

    By vectors, as cosines: `meaning` is the likeness of the best unit, `whole` that of the passage. `gist` compares the
    key words alone; `gist_lead` is its distance from the median of all passages, `gist_rank` as `cover_rank`. A margin
    is the distance of the best passage to the second, or of another passage to the best (so it is negative).

    `form` is the share of the asked forms (an amount, a time) that the passage has, and `lacks_form` is the rest. Short
    questions are like each other, so `is_pair` (the passage is an answered question) has a negative weight.
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

    def weighted(self, weights: Mapping[str, float]) -> float:
        return sum(weight * float(getattr(self, name)) for name, weight in weights.items())

    @property
    def is_sure(self) -> bool:
        """Whether a person has answered nearly the same question, with the same numbers in it."""
        return bool(self.is_pair) and self.meaning >= SURE_PAIR and self.same_numbers

    @property
    def order(self) -> float:
        """Weight by which passages are ordered; answered questions come first."""
        return self.weighted(ORDER) + (_SURE_PAIR_FIRST if self.is_sure else 0.0)

    @property
    def confidence(self) -> float:
        """Probability that the passage answers the question."""
        if self.is_sure:
            return min(self.meaning, 1.0)
        bias, weights = (FOREIGN_BIAS, FOREIGN_CONFIDENCE) if self.is_foreign else (BIAS, CONFIDENCE)
        exponent = bias + self.weighted(weights)
        return 1 / (1 + math.exp(-max(min(exponent, _LARGEST_EXPONENT), -_LARGEST_EXPONENT)))

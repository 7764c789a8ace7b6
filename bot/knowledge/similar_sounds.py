"""Words of passages that sound like a word of the question, so that typing errors and short forms are found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from bot.knowledge.words import grams, sound_of

# Two sounds are alike from this Dice's coefficient on.
_LEAST_LIKENESS = 0.5
_MOST_SIMILAR = 12
# Likeness of a word and its beginning, such as `refri` and `refrigerador`.
_SHORT_FORM = 0.8
# So short a sound has too few trigrams to compare; it has to be the same.
_SHORT = 3


class SimilarSounds:
    """Sounds of the passages' words, found by their trigrams.

    The likeness of two sounds is Dice's coefficient of their trigrams, 2·|A ∩ B| / (|A| + |B|)
    (https://en.wikipedia.org/wiki/Dice-S%C3%B8rensen_coefficient).
    """

    def __init__(self, sounds: Iterable[str]) -> None:
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        self._sounds = list(sounds)
        self._distinct = frozenset(self._sounds)
        self._gram_counts = np.array([len(grams(sound)) for sound in self._sounds], np.int32)
        places: dict[str, list[int]] = defaultdict(list)
        for place, sound in enumerate(self._sounds):
            for gram in grams(sound):
                places[gram].append(place)
        self._places_with = {gram: np.array(holding, np.int32) for gram, holding in places.items()}

    def similar_to(self, word: str) -> dict[str, float]:
        """Sounds like this word's, each with its likeness from 0 to 1; the most similar first."""
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        sound = sound_of(word)
        if len(sound) <= _SHORT or sound[0].isdigit():
            return {sound: 1.0} if sound in self._distinct else {}
        own_grams = grams(sound)
        places = [self._places_with[gram] for gram in own_grams if gram in self._places_with]
        if not places:
            return {}
        shared = np.bincount(np.concatenate(places), minlength=len(self._sounds))
        dice = 2 * shared / (len(own_grams) + self._gram_counts)
        # A short form shares all its trigrams but the last, which holds the end of the word.
        near = np.flatnonzero((dice >= _LEAST_LIKENESS) | (shared >= len(own_grams) - 1))
        likenesses = (
            (_likeness(sound, self._sounds[place], float(dice[place])), self._sounds[place]) for place in near
        )
        similar = sorted((pair for pair in likenesses if pair[0] >= _LEAST_LIKENESS), reverse=True)
        return {other: likeness for likeness, other in similar[:_MOST_SIMILAR]}


def _likeness(sound: str, other: str, dice: float) -> float:
    """Dice's coefficient, but at least `_SHORT_FORM` if either sound begins with the other."""
    shorter, longer = sorted((sound, other), key=len)
    is_short_form = len(shorter) > _SHORT and longer.startswith(shorter)
    return max(dice, _SHORT_FORM) if is_short_form else dice

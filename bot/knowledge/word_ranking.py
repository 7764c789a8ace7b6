"""Rankings of passages by words: by stems with synonyms, and by the trigrams of how words sound."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.knowledge.words import concepts_of, grams, sound_of, stems, telling, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]

# Parameters of BM25: passages are of one length, so length counts little.
_K1, _B = 1.2, 0.4
_CONCEPT = 0.5
# Words whose trigrams overlap less are others (Dice's coefficient).
_ALIKE = 0.5
_MOST_ALIKE = 12
_SHORT_FORM = 0.8
# A synonym is as good as a word that is nearly the same.
_CONCEPT_HELD = 0.8
_SURELY = 0.7
_SHORT = 3


class TermScores:
    """BM25 scores of terms in passages, kept as columns of a sparse matrix (by bm25s)."""

    def __init__(self, passages: Sequence[Sequence[str]]) -> None:
        import bm25s  # noqa: PLC0415 - for those who search alone

        self.count = len(passages)
        terms: dict[str, int] = {}
        ids = [[terms.setdefault(term, len(terms)) for term in passage] for passage in passages]
        self.terms = terms
        self._columns: dict[str, Any] = {}
        if terms:
            # Because the library makes its logger talk, ours would print its steps.
            logging.getLogger("bm25s").setLevel(logging.WARNING)
            ranker = bm25s.BM25(k1=_K1, b=_B)
            ranker.index((ids, terms), show_progress=False)
            self._columns = ranker.scores

    def scores(self, weights: Mapping[str, float]) -> Scores:
        """Sum of the weighted columns."""
        import numpy as np  # noqa: PLC0415 - as above

        total = np.zeros(self.count, np.float32)
        for term, weight in weights.items():
            if (place := self.terms.get(term)) is not None:
                begin, end = self._columns["indptr"][place], self._columns["indptr"][place + 1]
                rows = self._columns["indices"][begin:end]
                total[rows] += np.float32(weight) * self._columns["data"][begin:end]
        return total

    def rarity(self, term: str) -> float:
        """Weight of a term by the share of passages that lack it, 0 to 1; 1 for an unknown term."""
        place = self.terms.get(term)
        if place is None:
            return 1.0
        import numpy as np  # noqa: PLC0415 - as above

        found = int(self._columns["indptr"][place + 1] - self._columns["indptr"][place])
        return float(np.log1p((self.count - found + 0.5) / (found + 0.5)) / np.log1p((self.count + 0.5) / 0.5))


class WordScores(NamedTuple):
    """Scores by stems and by sound, and the share of the question's words that each passage holds, by their rarity."""

    stems: Scores
    sounds: Scores
    covered: Scores


class WordRanking:
    """Words of passages: their stems (of each passage's language) with concepts, and their sounds.

    A word of a question stands for its stems in both languages, its concepts, and all words that sound much like it.
    """

    def __init__(self, passages: Sequence[tuple[str, str]]) -> None:
        stemmed, sounds = [], []
        for text, language in passages:
            words = telling(words_of(text))
            stemmed.append([*stems(words, language), *(name for word in words for name in concepts_of(word))])
            sounds.append([sound_of(word) for word in words])
        self._stems = TermScores(stemmed)
        self._sounds = TermScores(sounds)
        self._grams = {sound: grams(sound) for sound in self._sounds.terms}
        self._with_gram: dict[str, list[str]] = defaultdict(list)
        for sound, own in self._grams.items():
            for gram in own:
                self._with_gram[gram].append(sound)

    def scores(self, question: Sequence[str]) -> WordScores:
        import numpy as np  # noqa: PLC0415 - as above

        count = self._stems.count
        by_stem, by_sound, covered = (np.zeros(count, np.float32) for _ in range(3))
        whole = 1e-6
        for word in dict.fromkeys(question):
            alike = self._alike(word)
            sounding, held = np.zeros(count, np.float32), np.zeros(count, np.float32)
            for other, likeness in alike.items():
                column = self._sounds.scores({other: likeness * likeness})
                np.maximum(sounding, column, out=sounding)
                np.maximum(held, np.where(column > 0, np.float32(likeness), 0), out=held)
            named = self._stems.scores(dict.fromkeys(concepts_of(word), _CONCEPT))
            np.maximum(held, np.where(named > 0, np.float32(_CONCEPT_HELD), 0), out=held)
            by_stem += named + self._stems.scores(dict.fromkeys({*stems([word], "es"), *stems([word], "en")}, 1.0))
            by_sound += sounding
            rarity = self._rarity(word, alike)
            covered += np.float32(rarity) * held
            whole += rarity
        return WordScores(by_stem, by_sound, covered / np.float32(whole))

    def _rarity(self, word: str, alike: Mapping[str, float]) -> float:
        """How much a word tells; one that no passage holds tells most."""
        known = [self._sounds.rarity(other) for other, likeness in alike.items() if likeness >= _SURELY]
        known += [self._stems.rarity(name) for name in concepts_of(word)]
        return min(known, default=1.0)

    def _alike(self, word: str) -> dict[str, float]:
        """Sounds of the passages that are like this word, with a likeness of 0 to 1."""
        sound = sound_of(word)
        if len(sound) <= _SHORT or sound[0].isdigit():
            return {sound: 1.0} if sound in self._grams else {}
        own = grams(sound)
        shared: dict[str, int] = defaultdict(int)
        for gram in own:
            for other in self._with_gram.get(gram, ()):
                shared[other] += 1
        likeness = {other: self._likeness(sound, other, count) for other, count in shared.items()}
        best = sorted(((alike, other) for other, alike in likeness.items() if alike >= _ALIKE), reverse=True)
        return {other: alike for alike, other in best[:_MOST_ALIKE]}

    def _likeness(self, one: str, other: str, shared: int) -> float:
        """Dice's coefficient of trigrams; a word that begins another one is a short form of it."""
        dice = 2 * shared / (len(grams(one)) + len(self._grams[other]))
        shorter, longer = sorted((one, other), key=len)
        begins = len(shorter) > _SHORT and longer.startswith(shorter)
        return max(dice, _SHORT_FORM) if begins else dice

"""Rankings of passages by words: by stems with synonyms, and by the trigrams of how words sound."""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bot.knowledge.words import concepts_of, grams, is_light, sound_of, stems, telling, translations_of, words_of

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
# So is what the other language calls it.
_TRANSLATED = 0.8
# Share of a word that tells little in the words of a question.
_LIGHT = 0.4
_SURELY = 0.7
_SHORT = 3


_NOWHERE: tuple[Any, Any] = ([], 0)


class Terms(Protocol):
    """Scores of terms in passages, which are rows from 0 to `count`."""

    count: int

    def holds(self, term: str) -> bool:
        """Whether any passage holds a term."""
        ...

    def column(self, term: str) -> tuple[Any, Any]:
        """Passages that hold a term, and the term's scores in them."""
        ...

    def rarity(self, term: str) -> float:
        """Weight of a term by the share of passages that lack it, 0 to 1; 1 for an unknown term."""
        ...


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

    def holds(self, term: str) -> bool:
        return term in self.terms

    def column(self, term: str) -> tuple[Any, Any]:
        place = self.terms.get(term)
        if place is None:
            return _NOWHERE
        begin, end = self._columns["indptr"][place], self._columns["indptr"][place + 1]
        return self._columns["indices"][begin:end], self._columns["data"][begin:end]

    def rarity(self, term: str) -> float:
        place = self.terms.get(term)
        if place is None:
            return 1.0
        return rarity(int(self._columns["indptr"][place + 1] - self._columns["indptr"][place]), self.count)


class CountedTerms:
    """BM25 scores of a question's terms in a few of many passages, by what is known of all of them.

    `frequencies` are the numbers of passages that hold a term, of `total` passages with so many terms on `average`.
    """

    def __init__(
        self,
        passages: Sequence[Sequence[str]],
        wanted: Iterable[str],
        frequencies: Mapping[str, int],
        *,
        total: int,
        average: float,
    ) -> None:
        self.count = len(passages)
        self._frequencies = frequencies
        self._total = total
        self._columns: dict[str, tuple[list[int], list[float]]] = {term: ([], []) for term in wanted}
        for row, terms in enumerate(passages):
            length = _K1 * (1 - _B + _B * len(terms) / max(average, 1e-6))
            for term, times in Counter(term for term in terms if term in self._columns).items():
                rows, scores = self._columns[term]
                rows.append(row)
                scores.append(inverse_frequency(frequencies.get(term, 1), total) * times / (times + length))

    def holds(self, term: str) -> bool:
        return term in self._frequencies

    def column(self, term: str) -> tuple[Any, Any]:
        import numpy as np  # noqa: PLC0415 - as above

        rows, scores = self._columns.get(term, _NOWHERE)
        return (rows, np.array(scores, np.float32)) if rows else _NOWHERE

    def rarity(self, term: str) -> float:
        found = self._frequencies.get(term)
        return 1.0 if found is None else rarity(found, self._total)


def inverse_frequency(found: int, total: int) -> float:
    """Weight of a term that so many of all passages hold, as BM25 has it."""
    return math.log1p((total - found + 0.5) / (found + 0.5))


def rarity(found: int, total: int) -> float:
    """The same as a share of the greatest weight."""
    return inverse_frequency(found, total) / math.log1p((total + 0.5) / 0.5)


class WordScores(NamedTuple):
    """Scores by stems and by sound, and the shares of the question's words that each passage holds.

    `covered` weighs words by their rarity, `key_covered` is of the telling ones alone; `words` and `key_words`
    are their numbers.
    """

    stems: Scores
    sounds: Scores
    covered: Scores
    key_covered: Scores
    words: int = 0
    key_words: int = 0

    @property
    def rankings(self) -> tuple[Scores, Scores, Scores]:
        return self.stems, self.sounds, self.covered

    def of(self, places: Any) -> WordScores:
        """The scores of some passages."""
        stems_, sounds, covered, key_covered = (scores[places] for scores in (*self.rankings, self.key_covered))
        return WordScores(stems_, sounds, covered, key_covered, self.words, self.key_words)


class LikeSounds:
    """Sounds of the passages' words, by their trigrams."""

    def __init__(self, known: Iterable[str]) -> None:
        import numpy as np  # noqa: PLC0415 - as above

        self._known = list(known)
        self._whole = frozenset(self._known)
        self._lengths = np.array([len(grams(sound)) for sound in self._known], np.int32)
        places: dict[str, list[int]] = defaultdict(list)
        for place, sound in enumerate(self._known):
            for gram in grams(sound):
                places[gram].append(place)
        self._with_gram = {gram: np.array(found, np.int32) for gram, found in places.items()}

    def alike(self, word: str) -> dict[str, float]:
        """Sounds of the passages that are like this word, with a likeness of 0 to 1.

        The likeness is Dice's coefficient of trigrams; a word that begins another one is a short form of it.
        """
        import numpy as np  # noqa: PLC0415 - as above

        sound = sound_of(word)
        if len(sound) <= _SHORT or sound[0].isdigit():
            return {sound: 1.0} if sound in self._whole else {}
        own = grams(sound)
        found = [self._with_gram[gram] for gram in own if gram in self._with_gram]
        if not found:
            return {}
        shared = np.bincount(np.concatenate(found), minlength=len(self._known))
        dice = 2 * shared / (len(own) + self._lengths)
        # A short form shares all its trigrams but the last.
        near = np.flatnonzero((dice >= _ALIKE) | (shared >= len(own) - 1))
        likeness = ((_likeness(sound, self._known[place], float(dice[place])), self._known[place]) for place in near)
        best = sorted((one for one in likeness if one[0] >= _ALIKE), reverse=True)
        return {other: alike for alike, other in best[:_MOST_ALIKE]}


class WordRanking:
    """Words of passages: their stems (of each passage's language) with concepts, and their sounds.

    A word of a question stands for its stems in both languages, its concepts, and all words that sound much like it.
    """

    def __init__(self, stemmed: Terms, sounds: Terms, like_sounds: LikeSounds) -> None:
        self._stems = stemmed
        self._sounds = sounds
        self._like_sounds = like_sounds

    @classmethod
    def of(cls, passages: Sequence[tuple[str, str]]) -> WordRanking:
        """Index texts, each with its language."""
        terms = [terms_of(text, language) for text, language in passages]
        sounds = TermScores([sounds for _, sounds in terms])
        return cls(TermScores([stemmed for stemmed, _ in terms]), sounds, LikeSounds(sounds.terms))

    def scores(self, question: Sequence[str]) -> WordScores:
        """Score all passages by the words of a question; a repeated word counts once."""
        import numpy as np  # noqa: PLC0415 - as above

        count = self._stems.count
        by_stem, by_sound, covered, key_covered = (np.zeros(count, np.float32) for _ in range(4))
        whole, keys = 1e-6, 0
        for word in dict.fromkeys(question):
            alike = self._like_sounds.alike(word)
            sounding, held = np.zeros(count, np.float32), np.zeros(count, np.float32)
            for other, likeness in alike.items():
                rows, data = self._sounds.column(other)
                sounding[rows] = np.maximum(sounding[rows], data * np.float32(likeness * likeness))
                held[rows] = np.maximum(held[rows], np.float32(likeness))
            for name in concepts_of(word):
                rows, data = self._stems.column(name)
                by_stem[rows] += data * np.float32(_CONCEPT)
                held[rows] = np.maximum(held[rows], np.float32(_CONCEPT_HELD))
            if other_language := _translated_stems(word):
                by_stem += self._translated(other_language, held)
            for stem in _own_stems(word):
                rows, data = self._stems.column(stem)
                by_stem[rows] += data
            by_sound += sounding
            light = is_light(word)
            rarity = self._rarity(word, alike) * (_LIGHT if light else 1.0)
            covered += np.float32(rarity) * held
            whole += rarity
            if not light:
                key_covered += held
                keys += 1
        shares = covered / np.float32(whole), key_covered / np.float32(max(keys, 1))
        return WordScores(by_stem, by_sound, *shares, len(question), keys)

    def _translated(self, words: Sequence[str], held: Scores) -> Scores:
        """Scores of a word by its stems in the other language; marks in `held` the passages that have one."""
        import numpy as np  # noqa: PLC0415 - as above

        found = np.zeros(self._stems.count, np.float32)
        for stem in words:
            rows, data = self._stems.column(stem)
            found[rows] = np.maximum(found[rows], data * np.float32(_TRANSLATED))
            held[rows] = np.maximum(held[rows], np.float32(_TRANSLATED))
        return found

    def _rarity(self, word: str, alike: Mapping[str, float]) -> float:
        """Weight of a word by its rarity; a word that no passage holds weighs most."""
        known = [self._sounds.rarity(other) for other, likeness in alike.items() if likeness >= _SURELY]
        known += [self._stems.rarity(name) for name in concepts_of(word)]
        known += [self._stems.rarity(stem) for stem in _translated_stems(word) if self._stems.holds(stem)]
        return min(known, default=1.0)


def terms_of(text: str, language: str) -> tuple[list[str], list[str]]:
    """The stems of a passage with its concepts, and its sounds."""
    words = telling(words_of(text))
    stemmed = [*stems(words, language), *(name for word in words for name in concepts_of(word))]
    return stemmed, [sound_of(word) for word in words]


def stems_for(word: str) -> set[str]:
    """Stems and concepts that stand for a word of a question."""
    return {*_own_stems(word), *_translated_stems(word), *concepts_of(word)}


def _own_stems(word: str) -> set[str]:
    return {*stems([word], "es"), *stems([word], "en")}


def _translated_stems(word: str) -> list[str]:
    spanish, english = translations_of(word)
    return [*stems(spanish, "es"), *stems(english, "en")]


def _likeness(one: str, other: str, dice: float) -> float:
    shorter, longer = sorted((one, other), key=len)
    begins = len(shorter) > _SHORT and longer.startswith(shorter)
    return max(dice, _SHORT_FORM) if begins else dice

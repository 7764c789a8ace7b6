"""Scores of passages by the words of a question: by stems with synonyms, and by how words sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.knowledge.bm25 import IndexedTerms, Postings, TermScores
from bot.knowledge.similar_sounds import SimilarSounds
from bot.knowledge.words import concepts_of, is_light, sound_of, stems, telling, translations_of, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]

# Share of its own score that a synonym adds to a passage, beside the score of the word's stem.
_CONCEPT_SCORE = 0.5
_TRANSLATION_SCORE = 0.8
# Share of a word that counts as held by a passage which has only a synonym or a translation of it.
_CONCEPT_HELD = 0.8
_TRANSLATION_HELD = 0.8
# Weight of a light word, such as `hablar`, beside the other words of a question.
_LIGHT_WEIGHT = 0.4
# A sound that is this similar counts as a spelling of the word, so its rarity is the word's.
_SAME_WORD = 0.7


class WordScores(NamedTuple):
    """Scores of passages by words; each array has the shape (passages,).

    `stems` and `sounds` are sums of BM25 scores. `covered` is the share of the question's words that the passage holds,
    0 to 1, weighted by rarity; `key_covered` is the plain share of the key words, which are those that are not light.
    `words` and `key_words` are the numbers of words in the question.
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

    def only(self, rows: Any) -> WordScores:
        """The scores of the passages at these rows."""
        return WordScores(
            self.stems[rows],
            self.sounds[rows],
            self.covered[rows],
            self.key_covered[rows],
            self.words,
            self.key_words,
        )


class WordRanking:
    """Scores passages by their stems (of each passage's language) with concepts, and by their sounds.

    A word of a question matches its stems in both languages, its concepts, its translations, and similar sounds.
    """

    def __init__(self, stemmed: TermScores, sounds: TermScores, similar_sounds: SimilarSounds) -> None:
        self._stems = stemmed
        self._sounds = sounds
        self._similar_sounds = similar_sounds

    @classmethod
    def of(cls, passages: Sequence[tuple[str, str]]) -> WordRanking:
        """Index pairs of a text and its language."""
        terms = [terms_of(text, language) for text, language in passages]
        sounds = IndexedTerms([sounds for _, sounds in terms])
        return cls(IndexedTerms([stemmed for stemmed, _ in terms]), sounds, SimilarSounds(sounds.terms))

    def scores(self, question: Sequence[str]) -> WordScores:
        """Score all passages by the words of a question; a repeated word counts once."""
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        by_stem, by_sound, covered, key_covered = (np.zeros(self._stems.count, np.float32) for _ in range(4))
        total_weight, key_words = 1e-6, 0
        for word in dict.fromkeys(question):
            similar = self._similar_sounds.similar_to(word)
            held = np.zeros(self._stems.count, np.float32)
            by_sound += self._score_by_sound(similar, held)
            self._add_scores_by_stem(word, by_stem, held)
            weight = self._rarity(word, similar)
            if is_light(word):
                weight *= _LIGHT_WEIGHT
            else:
                key_covered += held
                key_words += 1
            covered += np.float32(weight) * held
            total_weight += weight
        covered /= np.float32(total_weight)
        key_covered /= np.float32(max(key_words, 1))
        return WordScores(by_stem, by_sound, covered, key_covered, len(question), key_words)

    def _score_by_sound(self, similar: Mapping[str, float], held: Scores) -> Scores:
        """Each passage's best score by one of the similar sounds; raises `held` to the best likeness."""
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        best = np.zeros(self._stems.count, np.float32)
        for sound, likeness in similar.items():
            found = self._sounds.postings(sound)
            # Squared, so that an uncertain match scores clearly less than a sure one.
            best[found.rows] = np.maximum(best[found.rows], found.scores * np.float32(likeness * likeness))
            _hold_at_least(held, found, likeness)
        return best

    def _add_scores_by_stem(self, word: str, by_stem: Scores, held: Scores) -> None:
        """Add the scores of the word's concepts, translations and stems to `by_stem`, and raise `held`."""
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        for concept in concepts_of(word):
            found = self._stems.postings(concept)
            by_stem[found.rows] += found.scores * np.float32(_CONCEPT_SCORE)
            _hold_at_least(held, found, _CONCEPT_HELD)
        if translated := _translated_stems(word):
            by_stem += self._score_by_translation(translated, held)
        for stem in _own_stems(word):
            found = self._stems.postings(stem)
            by_stem[found.rows] += found.scores

    def _score_by_translation(self, translated: Sequence[str], held: Scores) -> Scores:
        """Each passage's best score by one of the stems in the other language; raises `held`."""
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        best = np.zeros(self._stems.count, np.float32)
        for stem in translated:
            found = self._stems.postings(stem)
            best[found.rows] = np.maximum(best[found.rows], found.scores * np.float32(_TRANSLATION_SCORE))
            _hold_at_least(held, found, _TRANSLATION_HELD)
        return best

    def _rarity(self, word: str, similar: Mapping[str, float]) -> float:
        """Rarity of the most frequent spelling, concept or translation of a word; 1 if no passage holds any."""
        rarities = [self._sounds.rarity(sound) for sound, likeness in similar.items() if likeness >= _SAME_WORD]
        rarities += [self._stems.rarity(concept) for concept in concepts_of(word)]
        rarities += [self._stems.rarity(stem) for stem in _translated_stems(word) if self._stems.holds(stem)]
        return min(rarities, default=1.0)


def _hold_at_least(held: Scores, found: Postings, share: float) -> None:
    """Note that the found passages hold at least this share of the word."""
    import numpy as np  # noqa: PLC0415 - loaded by the first search

    held[found.rows] = np.maximum(held[found.rows], np.float32(share))


def terms_of(text: str, language: str) -> tuple[list[str], list[str]]:
    """Terms by which a passage is indexed: its stems with its concepts, and its sounds."""
    words = telling(words_of(text))
    stemmed = [*stems(words, language), *(concept for word in words for concept in concepts_of(word))]
    return stemmed, [sound_of(word) for word in words]


def stems_for(word: str) -> set[str]:
    """Stems and concepts that match a word of a question."""
    return {*_own_stems(word), *_translated_stems(word), *concepts_of(word)}


def _own_stems(word: str) -> set[str]:
    return {*stems([word], "es"), *stems([word], "en")}


def _translated_stems(word: str) -> list[str]:
    spanish, english = translations_of(word)
    return [*stems(spanish, "es"), *stems(english, "en")]

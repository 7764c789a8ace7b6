"""Search in the indexed words: tolerant of slips, endings and joined words; the best products first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.catalogue.search_words import MOST_WORDS, size_words, words_of
from bot.catalogue.word_index import Indexable, WordIndex
from pipelines.product.size_parsing import without_sizes

# If the catalogue has only the beginning of a word, it is similar but no match: aguacate is not agua.
_EXACT, _SOUNDED, _SLIP, _BEGUN, _SHORTENED = 1.0, 0.95, (0.9, 0.8, 0.75), 0.75, 0.5
_LEAST_LETTERS, _LEAST_FOR_SLIPS = 3, 4
# A product that lacks a word has to have at least this share of what the words weigh.
_LEAST_SHARE = 0.25
_MANY = 2000


class Hit(NamedTuple):
    """A product by its id; `complete` if it has all words of the question."""

    product: int
    score: float
    complete: bool


class Hits(NamedTuple):
    """The best products, and the number of all that match as well."""

    best: tuple[Hit, ...]
    total: int


class ProductWords:
    """The index of all products: a large part that was made at once, and a small one of what changed since then."""

    def __init__(self, products: Sequence[Indexable]) -> None:
        self._parts = (WordIndex(products),)
        self._masks: list[NDArray[Any] | None] = [None]

    def with_changes(self, changed: Sequence[Indexable], gone: Sequence[int]) -> ProductWords | None:
        """The index with products changed and removed since it was made; None if making it anew costs less."""
        if len(changed) + len(gone) > _MANY:
            return None
        made = ProductWords(())
        made._parts = (self._parts[0], WordIndex(changed))  # type: ignore[assignment]
        made._masks = [self._parts[0].without({*gone, *(product.id for product in changed)}), None]
        return made

    def search(self, words: str, size: str = "", *, most: int = 10) -> Hits:
        """Find products by words in any order; a size counts in any unit."""
        contents = {*size_words(size), *size_words(words)}
        asked = " ".join(text if not size_words(text) else without_sizes(text) for text in (words, size))
        terms = [self._term(word) for word in self._joined(words_of(asked)[:MOST_WORDS])]
        terms += [{content: _EXACT} for content in sorted(contents)[:MOST_WORDS]]
        return self._ranked(terms, most) if terms else Hits((), 0)

    def _ranked(self, terms: list[dict[str, float]], most: int) -> Hits:
        total = sum(map(len, self._parts)) or 1
        counts = [sum(self._count(word) for word in term) for term in terms]
        weights = [math.log(1 + total / count) if count else 1.0 for count in counts]
        hits: list[Hit] = []
        count = 0
        for part, mask in zip(self._parts, self._masks, strict=True):
            if not len(part):
                continue
            found = part.matching(terms)
            score = sum(weight * scores for weight, scores in zip(weights, found, strict=True))
            complete = np.logical_and.reduce([scores > _SHORTENED for scores in found])
            if mask is not None:
                score, complete = score * mask, complete & mask
            # Of products with the same words, the one with the fewest others is meant.
            score = score * (1 + 0.2 / (1 + part.lengths))
            count += int(complete.sum())
            best = np.argpartition(-(score + complete * 1000), min(most, len(part) - 1))[:most]
            hits += [
                Hit(int(part.ids[place]), float(score[place]), bool(complete[place]))
                for place in best
                if score[place] > 0
            ]
        hits.sort(key=lambda hit: (not hit.complete, -hit.score, hit.product))
        if count:
            return Hits(tuple(hit for hit in hits if hit.complete)[:most], count)
        partly = [hit for hit in hits if hit.score >= _LEAST_SHARE * sum(weights)]
        return Hits(tuple(partly[:most]), len(partly))

    def _joined(self, words: list[str]) -> list[str]:
        """Words as the catalogue spells them: "coca cola" may be one word or two."""
        joined: list[str] = []
        for word in words:
            if joined and not self._count(word) and self._count(joined[-1] + word):
                joined[-1] += word
            elif self._count(word) or (halves := self._halves(word)) is None:
                joined.append(word)
            else:
                joined += halves
        return joined

    def _halves(self, word: str) -> list[str] | None:
        for cut in range(_LEAST_LETTERS, len(word) - _LEAST_LETTERS + 1):
            # Because a stem has lost its last vowel, the second half may have it.
            ends = (word[cut:] + vowel for vowel in ("", "a", "o", "e"))
            second = next(filter(self._count, ends), None)
            if second and self._count(word[:cut]):
                return [word[:cut], second]
        return None

    def _term(self, word: str) -> dict[str, float]:
        """Words of the catalogue that may be meant by one of a question, with a weight from 0 to 1."""
        if self._count(word) or word[0].isdigit():
            return {word: _EXACT}
        found: dict[str, float] = {}
        for part in self._parts:
            found |= dict.fromkeys(part.sounding_like(word), _SOUNDED)
            if len(word) >= _LEAST_LETTERS:
                found |= {other: _BEGUN for other in part.beginning_with(word) if other not in found}
        if not found and len(word) >= _LEAST_FOR_SLIPS:
            near = {other: _SLIP[slips] for part in self._parts for other, slips in part.near(word)}
            best = max(near.values(), default=0)
            found = {other: weight for other, weight in near.items() if weight == best}
        if not found:
            starts = (word[:end] for end in range(len(word) - 1, _LEAST_LETTERS - 1, -1))
            found = {start: _SHORTENED for start in starts if self._count(start)}
        return found or {word: _EXACT}

    def _count(self, word: str) -> int:
        return sum(part.count(word) for part in self._parts)

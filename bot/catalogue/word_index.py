"""An index in memory from words to products: arrays of numpy, some 100 bytes a product."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.catalogue.search_words import distance, size_words, sound_of, words_of

_MOST_BEGINNINGS = 60
_MOST_NEAR = 40
_SHORT = 5


class Indexable(Protocol):
    """Words of a product, and its id in the database."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def brand(self) -> str: ...
    @property
    def size(self) -> str: ...


class WordIndex:
    """Words of products that don't change any more. Making one of 100,000 takes seconds, so make it off the loop."""

    def __init__(self, products: Sequence[Indexable]) -> None:
        vocabulary: dict[str, int] = {}
        terms, places, lengths = array("i"), array("i"), array("H")
        for place, product in enumerate(products):
            known = {vocabulary.setdefault(word, len(vocabulary)) for word in _words(product)}
            terms.extend(known)
            places.extend([place] * len(known))
            lengths.append(min(len(known), 1000))
        self.ids: NDArray[Any] = np.array([product.id for product in products], dtype=np.int64)
        self.lengths: NDArray[Any] = np.frombuffer(lengths, dtype=np.uint16) if lengths else np.zeros(0, np.uint16)
        self._vocabulary = vocabulary
        self._starts, self._places = _by_key(terms, places, len(vocabulary))
        self._words = [word for word in vocabulary if not word.startswith("=")]
        self._sorted = sorted(self._words)
        self._sounds: dict[str, list[str]] = {}
        for word in self._words:
            self._sounds.setdefault(sound_of(word), []).append(word)
        self._trigrams: dict[str, int] = {}
        grams, owners = array("i"), array("i")
        for owner, word in enumerate(self._words):
            own = {self._trigrams.setdefault(gram, len(self._trigrams)) for gram in _grams(word)}
            grams.extend(own)
            owners.extend([owner] * len(own))
        self._gram_starts, self._gram_owners = _by_key(grams, owners, len(self._trigrams))
        self._gram_counts: NDArray[Any] = np.bincount(self._gram_owners, minlength=len(self._words))

    def __len__(self) -> int:
        return len(self.ids)

    def places(self, word: str) -> NDArray[Any]:
        """Places of the products that have this very word."""
        term = self._vocabulary.get(word)
        return self._places[:0] if term is None else self._places[self._starts[term] : self._starts[term + 1]]

    def count(self, word: str) -> int:
        return len(self.places(word))

    def beginning_with(self, start: str) -> list[str]:
        """Words that go on after `start`."""
        found = islice(self._sorted, bisect_left(self._sorted, start), None)
        return [word for word in islice(found, _MOST_BEGINNINGS) if word.startswith(start)]

    def sounding_like(self, word: str) -> list[str]:
        return self._sounds.get(sound_of(word), [])

    def near(self, word: str) -> list[tuple[str, int]]:
        """Words that a typing error could make of this one, with the number of errors."""
        counts = self._likeness(word)
        if not counts.size:
            return []
        most = 1 if len(word) <= _SHORT else 2
        likeliest = np.argpartition(-counts, min(_MOST_NEAR, counts.size - 1))[:_MOST_NEAR]
        found = ((self._words[place], counts[place]) for place in likeliest.tolist())
        # The first letter has to be the same, because people rarely mistype it: harina is not Marina.
        alike = (other for other, shared in found if shared > 0 and (other[0] == word[0] or other[:2] == word[1::-1]))
        slips = ((other, distance(word, other, most)) for other in alike)
        return [(other, number) for other, number in slips if number <= most]

    def matching(self, terms: Iterable[Mapping[str, float]]) -> list[NDArray[Any]]:
        """For each term, given as words with their weights, the weight of each product's best word."""
        weights = []
        for term in terms:
            weight: NDArray[Any] = np.zeros(len(self.ids), dtype=np.float32)
            for word, value in sorted(term.items(), key=lambda item: item[1]):
                weight[self.places(word)] = value
            weights.append(weight)
        return weights

    def without(self, ids: Collection[int]) -> NDArray[Any]:
        """Mask of the products that aren't among `ids`."""
        return ~np.isin(self.ids, np.fromiter(ids, dtype=np.int64, count=len(ids)))

    def _likeness(self, word: str) -> NDArray[Any]:
        """Likeness of each word by the trigrams that it shares with this one."""
        known = [gram for text in _grams(word) if (gram := self._trigrams.get(text)) is not None]
        if not known:
            return np.zeros(0)
        starts = self._gram_starts
        owners = np.concatenate([self._gram_owners[starts[gram] : starts[gram + 1]] for gram in known])
        shared: NDArray[Any] = np.bincount(owners, minlength=len(self._words))
        likeness: NDArray[Any] = shared / (self._gram_counts + len(known))
        return likeness


def _words(product: Indexable) -> set[str]:
    words = {*words_of(product.name), *words_of(product.brand), *words_of(product.size)}
    return words | set(size_words(product.size or product.name))


def _grams(word: str) -> set[str]:
    whole = f"^{word}$"
    return {whole[start : start + 3] for start in range(len(whole) - 2)} | {whole[:2], whole[-2:]}


def _by_key(keys: array[int], values: array[int], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values grouped by their keys: those of key k stand from starts[k] to starts[k + 1]."""
    if not keys:
        return np.zeros(count + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    by, what = np.frombuffer(keys, dtype=np.int32), np.frombuffer(values, dtype=np.int32)
    starts = np.concatenate(([0], np.cumsum(np.bincount(by, minlength=count))))
    return starts, what[np.argsort(by, kind="stable")]

"""BM25 scores of terms in passages.

BM25 scores a term by its rarity among all passages and by its number of occurrences in one passage:

    score(term, passage) = idf(term) * count / (count + k1 * (1 - b + b * length / average_length))
    idf(term) = ln(1 + (N - n + 0.5) / (n + 0.5)), for n of N passages that hold the term

This is Lucene's variant, which bm25s uses too (https://github.com/xhluca/bm25s). The original is in "The Probabilistic
Relevance Framework: BM25 and Beyond" by Robertson and Zaragoza, https://doi.org/10.1561/1500000019.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]

# The customary k1. Because all passages are about equally long, b lets length count less than the customary 0.75.
_K1, _B = 1.2, 0.4


class Postings(NamedTuple):
    """Passages that hold a term, as row numbers, and the term's score in each; both have one length."""

    rows: Any
    scores: Any


_NO_POSTINGS = Postings([], 0)


class TermScores(Protocol):
    """Scores of terms in passages, which are rows from 0 to `count`."""

    count: int

    def holds(self, term: str) -> bool:
        """Whether any passage holds the term."""
        ...

    def postings(self, term: str) -> Postings:
        """Passages that hold the term, with its scores."""
        ...

    def rarity(self, term: str) -> float:
        """Weight of the term from 0 (in every passage) to 1 (in none, or unknown)."""
        ...


class IndexedTerms:
    """Scores of all terms of the passages, as a sparse matrix of passages × terms in memory (by bm25s)."""

    def __init__(self, passages: Sequence[Sequence[str]]) -> None:
        import bm25s  # noqa: PLC0415 - loaded by the first search

        self.count = len(passages)
        columns: dict[str, int] = {}
        ids = [[columns.setdefault(term, len(columns)) for term in passage] for passage in passages]
        self.terms = columns
        self._matrix: dict[str, Any] = {}
        if columns:
            # Because bm25s sets its logger to DEBUG, our handler would print its steps.
            logging.getLogger("bm25s").setLevel(logging.WARNING)
            ranker = bm25s.BM25(k1=_K1, b=_B)
            ranker.index((ids, columns), show_progress=False)
            self._matrix = ranker.scores

    def holds(self, term: str) -> bool:
        return term in self.terms

    def postings(self, term: str) -> Postings:
        begin, end = self._bounds(term)
        if begin == end:
            return _NO_POSTINGS
        return Postings(self._matrix["indices"][begin:end], self._matrix["data"][begin:end])

    def rarity(self, term: str) -> float:
        begin, end = self._bounds(term)
        return rarity(end - begin, self.count) if term in self.terms else 1.0

    def _bounds(self, term: str) -> tuple[int, int]:
        """The term's slice of the matrix's arrays, which hold column after column (compressed sparse columns)."""
        column = self.terms.get(term)
        if column is None:
            return 0, 0
        return int(self._matrix["indptr"][column]), int(self._matrix["indptr"][column + 1])


class CandidateTerms:
    """Scores of a question's terms in a few candidates, by statistics of all passages.

    `frequencies` maps a term to the number of passages that hold it, of `total` passages with `average` terms each.
    """

    def __init__(
        self,
        candidates: Sequence[Sequence[str]],
        wanted: Iterable[str],
        frequencies: Mapping[str, int],
        *,
        total: int,
        average: float,
    ) -> None:
        self.count = len(candidates)
        self._frequencies = frequencies
        self._total = total
        self._postings: dict[str, tuple[list[int], list[float]]] = {term: ([], []) for term in wanted}
        for row, terms in enumerate(candidates):
            saturation = _K1 * (1 - _B + _B * len(terms) / max(average, 1e-6))
            for term, count in Counter(term for term in terms if term in self._postings).items():
                rows, scores = self._postings[term]
                rows.append(row)
                weight = inverse_document_frequency(frequencies.get(term, 1), total)
                scores.append(weight * count / (count + saturation))

    def holds(self, term: str) -> bool:
        return term in self._frequencies

    def postings(self, term: str) -> Postings:
        import numpy as np  # noqa: PLC0415 - loaded by the first search

        rows, scores = self._postings.get(term, ([], []))
        return Postings(rows, np.array(scores, np.float32)) if rows else _NO_POSTINGS

    def rarity(self, term: str) -> float:
        holding = self._frequencies.get(term)
        return 1.0 if holding is None else rarity(holding, self._total)


def inverse_document_frequency(holding: int, total: int) -> float:
    """Weight of a term that `holding` of `total` passages hold (`idf` of the formula above)."""
    return math.log1p((total - holding + 0.5) / (holding + 0.5))


def rarity(holding: int, total: int) -> float:
    """Inverse document frequency, as a share of the weight of a term that no passage holds."""
    return inverse_document_frequency(holding, total) / inverse_document_frequency(0, total)

"""Vectors in a quarter of their room: a byte for each number, with a scale for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Scores = NDArray[np.float32]

_LARGEST = 127
_AT_ONCE = 8192
# The directions in which passages differ most tell most of them apart.
_COARSE_WIDTH = 128
_SAMPLE = 4000


class CompactVectors:
    """Rows of length 1, near enough: a likeness differs by less than 0.01."""

    def __init__(self, vectors: Vectors) -> None:
        self._rows = np.empty(vectors.shape, np.int8)
        self._scales = np.empty(vectors.shape[0], np.float32)
        for start in range(0, vectors.shape[0], _AT_ONCE):
            some = np.asarray(vectors[start : start + _AT_ONCE], np.float32)
            scales = np.maximum(np.abs(some).max(axis=1), np.float32(1e-9)) / _LARGEST
            self._rows[start : start + _AT_ONCE] = np.rint(some / scales[:, None])
            self._scales[start : start + _AT_ONCE] = scales

    def likeness(self, places: Any, vectors: Vectors) -> Scores:
        """Likeness of the rows at these places to each of a question's vectors."""
        found: Scores = self._rows[places].astype(np.float32) @ vectors.T
        found *= self._scales[places][:, None]
        return found


class CoarseVectors:
    """Rows with as few numbers as tell many passages apart, for a first choice among all of them."""

    def __init__(self, vectors: Vectors) -> None:
        sample = vectors[:: max(vectors.shape[0] // _SAMPLE, 1)]
        _, directions = np.linalg.eigh((sample.T @ sample).astype(np.float64))
        self._directions = directions[:, ::-1][:, :_COARSE_WIDTH].astype(np.float32)
        self._rows = vectors @ self._directions

    def likeness(self, vectors: Vectors) -> Scores:
        """Likeness of all rows to each of a question's vectors, roughly."""
        found: Scores = self._rows @ (vectors @ self._directions).T
        return found

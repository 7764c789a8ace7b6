"""Vectors in a quarter of their room: a byte for each number, with a scale for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    AnyVectors = NDArray[np.floating[Any]]
    Scores = NDArray[np.float32]

_LARGEST = 127
# The directions in which passages differ most tell most of them apart.
_COARSE_WIDTH = 128
_SAMPLE = 4000


class CompactVectors:
    """Rows of length 1, near enough: a likeness differs by less than 0.01."""

    def __init__(self, parts: Sequence[AnyVectors]) -> None:
        count = sum(len(one) for one in parts)
        self._rows = np.empty((count, parts[0].shape[1] if parts else 1), np.int8)
        self._scales = np.empty(count, np.float32)
        start = 0
        for part in parts:
            some = np.asarray(part, np.float32)
            scales = np.maximum(np.abs(some).max(axis=1), np.float32(1e-9)) / _LARGEST
            end = start + len(some)
            self._rows[start:end], self._scales[start:end] = np.rint(some / scales[:, None]), scales
            start = end

    def likeness(self, places: Any, vectors: Vectors) -> Scores:
        """Likeness of each of a question's vectors to the rows at these places."""
        found: Scores = vectors @ self._rows[places].astype(np.float32).T
        found *= self._scales[places]
        return found


class CoarseVectors:
    """Rows with as few numbers as tell many passages apart, for a first choice among all of them."""

    def __init__(self, vectors: Vectors) -> None:
        sample = vectors[:: max(vectors.shape[0] // _SAMPLE, 1)]
        _, directions = np.linalg.eigh((sample.T @ sample).astype(np.float64))
        self._directions = directions[:, ::-1][:, :_COARSE_WIDTH].astype(np.float32)
        self._rows = vectors @ self._directions

    def likeness(self, vectors: Vectors) -> Scores:
        """Likeness of each of a question's vectors to all rows, roughly."""
        found: Scores = (vectors @ self._directions) @ self._rows.T
        return found

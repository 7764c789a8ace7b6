"""Vectors of passages in less memory: quantized to a byte a number, or projected to fewer numbers."""

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
# Numbers of a projected vector: so many principal components tell most passages apart.
_COARSE_WIDTH = 128
_SAMPLE = 4000


class CompactVectors:
    """Vectors of length 1 as rows of int8 with a scale for each row: a quarter of the memory of float32.

    Each number is `round(x / scale)`, with `scale = max(|row|) / 127`. A likeness differs from the exact one by less
    than 0.01.
    """

    def __init__(self, parts: Sequence[AnyVectors]) -> None:
        count = sum(len(rows) for rows in parts)
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
        """Dot products of a question's vectors, (Q, D), with the rows at these places: (Q, places)."""
        found: Scores = vectors @ self._rows[places].astype(np.float32).T
        found *= self._scales[places]
        return found


class CoarseVectors:
    """Vectors projected on the principal components of a sample, for a fast first choice among all passages.

    The components are eigenvectors of the sample's X^T X (https://en.wikipedia.org/wiki/Principal_component_analysis).
    """

    def __init__(self, vectors: Vectors) -> None:
        sample = vectors[:: max(vectors.shape[0] // _SAMPLE, 1)]
        _, directions = np.linalg.eigh((sample.T @ sample).astype(np.float64))
        self._directions = directions[:, ::-1][:, :_COARSE_WIDTH].astype(np.float32)
        self._rows = vectors @ self._directions

    def likeness(self, vectors: Vectors) -> Scores:
        """Approximate dot products of a question's vectors, (Q, D), with all rows: (Q, rows)."""
        found: Scores = (vectors @ self._directions) @ self._rows.T
        return found

"""Reciprocal rank fusion: one order from several rankings whose scores have different scales.

Each ranking adds `1 / (RANK_OFFSET + rank)` to an item. The method is from "Reciprocal Rank Fusion outperforms
Condorcet and individual Rank Learning Methods" by Cormack, Clarke and Büttcher,
https://doi.org/10.1145/1571941.1572114.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]
    Places = NDArray[np.int64]

# The paper takes 60, for long rankings. Because our candidates are few, a lower number lets the first ranks count more.
RANK_OFFSET = 5
CANDIDATES = 50


def fused(rankings: Sequence[Scores]) -> list[int]:
    """Places of the best items of all rankings, the best first.

    Each ranking has the shape (items,). Equal scores share a rank. A ranking adds nothing to an item whose score is 0.
    """
    import numpy as np  # noqa: PLC0415 - loaded by the first search

    total = np.zeros(rankings[0].shape[0], np.float64)
    for scores in rankings:
        first = highest(scores, CANDIDATES)
        ranks = np.searchsorted(-scores[first], -scores[first], side="left")
        total[first] += np.where(scores[first] > 0, 1 / (RANK_OFFSET + ranks), 0)
    return [int(place) for place in highest(total, CANDIDATES) if total[place] > 0]


def highest(scores: Any, count: int) -> Places:
    """Places of the `count` highest scores, the highest first; of equal scores, the earlier place first."""
    import numpy as np  # noqa: PLC0415 - loaded by the first search

    places = np.arange(scores.shape[0])
    if scores.shape[0] > count:
        # Because most passages hold no word of a question, sorting their equal scores would be wasted.
        lowest = np.partition(scores, -count)[-count]
        above = np.flatnonzero(scores > lowest)
        places = np.concatenate([above, np.flatnonzero(scores == lowest)[: count - above.size]])
    found: Places = places[np.argsort(-scores[places], kind="stable")]
    return found

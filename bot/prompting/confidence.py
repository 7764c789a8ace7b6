"""Confidence intervals of shares and means, as pure functions of counts."""

from __future__ import annotations

import math

# Standard deviations on each side of an interval (quantiles of the normal distribution).
Z_95, Z_99 = 1.959963984540054, 2.5758293035489004

Interval = tuple[float, float]


def wilson_interval(hits: int, tries: int, z: float = Z_95) -> Interval:
    """Interval of the true share: Wilson's score interval (E. B. Wilson, JASA 22, 1927)."""
    if not tries:
        return 0.0, 1.0
    share, square = hits / tries, z * z
    middle = (share + square / (2 * tries)) / (1 + square / tries)
    width = z / (1 + square / tries) * math.sqrt(share * (1 - share) / tries + square / (4 * tries * tries))
    return max(0.0, middle - width), min(1.0, middle + width)


def mean(total: int, squares: int, count: int, z: float = Z_95) -> Interval:
    """Interval of the true mean, by the normal approximation of the central limit theorem.

    `total` and `squares` are sums of the values and of their squares; values aren't negative. Each side has its own
    variance, as in B. L. Welch (Biometrika 34, 1947). From 30 values on, Student's t differs little from normal.
    """
    if not count:
        return 0.0, math.inf
    middle = total / count
    # Because the difference of two large floats would be noise, all but the division is in whole numbers.
    variance = (count * squares - total * total) / (count * (count - 1)) if count > 1 else math.inf
    width = z * math.sqrt(max(variance, 0.0) / count)
    return max(0.0, middle - width), middle + width

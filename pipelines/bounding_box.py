"""A rectangle in a picture."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A rectangle in pixels, from the top left corner of the picture."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, points: Iterable[tuple[float, float]]) -> "BoundingBox":
        """Return the smallest box that holds the points."""
        columns, rows = zip(*points, strict=True)
        left, top = round(min(columns)), round(min(rows))
        return cls(left, top, round(max(columns)) - left, round(max(rows)) - top)

    @property
    def ends(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The top left and the bottom right corner."""
        return (self.x, self.y), (self.x + self.width, self.y + self.height)

    def scaled(self, factor: float) -> "BoundingBox":
        """Return the same place in a picture that is `factor` times as large."""
        return BoundingBox(*(round(side * factor) for side in (self.x, self.y, self.width, self.height)))

    def overlaps(self, other: "BoundingBox") -> bool:
        """Say whether the middle of either lies in the other, or on its edge."""
        return self._holds(other) or other._holds(self)  # noqa: SLF001 -- its own kind

    def inside(self, other: "BoundingBox") -> bool:
        """Say whether all of this one lies in the other."""
        across = other.x <= self.x and self.x + self.width <= other.x + other.width
        return across and other.y <= self.y and self.y + self.height <= other.y + other.height

    def _holds(self, other: "BoundingBox") -> bool:
        x, y = other.x + other.width / 2, other.y + other.height / 2
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height

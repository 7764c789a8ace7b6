"""Positions of lines and sizes of their letters, in level coordinates for a photo held at any angle."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from pipelines.bounding_box import BoundingBox
from pipelines.image import PhotoText, TextLine

# Letters of common types are about half as wide as a line is high.
_WIDTH_OF_A_LETTER = 0.5
_TELLS_THE_TURN = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of one photo; `x` and `y` (its middle), `tall` and `wide` in pixels, as if the text stood level."""

    text: str
    confidence: float
    photo: int
    box: BoundingBox
    corners: tuple[tuple[float, float], ...]
    x: float
    y: float
    wide: float
    tall: float

    @property
    def left(self) -> float:
        return self.x - self.wide / 2

    @property
    def right(self) -> float:
        return self.x + self.wide / 2

    @property
    def top(self) -> float:
        return self.y - self.tall / 2

    @property
    def bottom(self) -> float:
        return self.y + self.tall / 2

    @property
    def is_on_its_side(self) -> bool:
        """Say whether the line stands on its side: its place assumes that it reads upwards, which may be wrong."""
        return self.box.height > self.box.width and len(self.text) >= _TELLS_THE_TURN

    def level_with(self, other: Piece) -> bool:
        """Say whether both stand in one row."""
        return self.photo == other.photo and abs(self.y - other.y) < max(self.tall, other.tall) / 2

    def above(self, other: Piece) -> bool:
        """Say whether this one is the next line above the other, over the same columns."""
        if self.photo != other.photo or self.y >= other.y:
            return False
        gap = other.top - self.bottom
        return gap < max(self.tall, other.tall) and self.left < other.right and other.left < self.right


def pieces_of(photo_text: PhotoText, photo: int) -> list[Piece]:
    """Return the lines of a photo in reading order, in level coordinates."""
    turn = _turn(photo_text.lines)
    return [_piece(line, photo, turn) for line in photo_text.lines if line.text.strip()]


def place_of(box: BoundingBox, pieces: Iterable[Piece]) -> tuple[float, float]:
    """Return the middle of a box of the photo in the same level coordinates as the pieces."""
    turn = _turn(pieces)
    return _level(box.x + box.width / 2, box.y + box.height / 2, turn)


def _piece(line: TextLine, photo: int, turn: float) -> Piece:
    x, y = _level(line.box.x + line.box.width / 2, line.box.y + line.box.height / 2, turn)
    if line.corners:
        a, b, c, d = line.corners
        wide, tall = (math.dist(a, b) + math.dist(d, c)) / 2, (math.dist(b, c) + math.dist(a, d)) / 2
        if tall > wide and len(line.text.strip()) > 1:
            wide, tall = tall, wide
    else:
        wide, tall = line.box.width, _height(line)
    return Piece(line.text.strip(), line.confidence, photo, line.box, line.corners, x, y, float(wide), float(tall))


def _height(line: TextLine) -> float:
    """Estimate the letters' height from an upright box, which a tilted line makes too high."""
    expected = line.box.width / (_WIDTH_OF_A_LETTER * max(len(line.text), 1))
    return min(float(line.box.height), max(expected * 1.6, 1.0)) if len(line.text) > 4 else float(line.box.height)  # noqa: PLR2004 -- short ones vary too much


def _turn(lines: Iterable[TextLine | Piece]) -> float:
    """Return the angle of most lines; a lone "$" or "90" is as high as it is wide and has none."""
    placed = [line for line in lines if line.corners]
    stated = [line for line in placed if len(line.text.strip()) >= _TELLS_THE_TURN] or placed
    return median(_angle(line.corners) for line in stated) if stated else 0.0


def _angle(corners: tuple[tuple[float, float], ...]) -> float:
    a, b, c, _ = corners
    tilt = math.atan2(b[1] - a[1], b[0] - a[0])
    return tilt - math.pi / 2 if math.dist(b, c) > math.dist(a, b) * 1.2 else tilt


def _level(x: float, y: float, turn: float) -> tuple[float, float]:
    return x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)

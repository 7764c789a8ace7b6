"""A photo with far more print than any label takes little longer than its lines one by one."""

from __future__ import annotations

import io
from functools import partial

from PIL import Image

from pipelines.bounding_box import BoundingBox
from pipelines.image import PhotoText, TextLine
from pipelines.product import card_from
from pipelines.truncation import MOST_LINES
from tests.rows import each
from tests.security.growth import least_seconds


def crowded(words: tuple[str, ...], lines: int) -> PhotoText:
    """Place so many lines below each other, in several sizes, from these words."""
    picture = io.BytesIO()
    Image.new("L", (400, 800), "white").save(picture, "JPEG")
    printed = tuple(
        TextLine(words[number % len(words)], 0.97, BoundingBox(10, 10 + number % 700, 300, 20 + number % 5))
        for number in range(lines)
    )
    return PhotoText(400, 800, "", printed, (), (), picture.getvalue())


@each(
    "words",
    [
        ("$ 36.50",), ("500 g",), ("7501000000000",), ("1 " * 20,), ("precio",), ("antes $1",),
        ("Pan blanco de caja con leche", "Leche", "$ 36"), ("pan " * 40, "$ 36.50"), ("marca Aurora", "500 g", "$ 1"),
    ],
)  # fmt: skip
def test_a_crowded_photo_takes_little_longer_than_its_lines(words: tuple[str, ...]) -> None:
    alone = sum(least_seconds(partial(card_from, [crowded((word,), 1)]), 5) for word in words) / len(words)
    together = partial(card_from, [crowded(words, MOST_LINES)])
    # Because lines are compared with each other, some time is added; without bounds it was a hundredfold.
    assert any(least_seconds(together, 1) < 10 * MOST_LINES * alone for _ in range(3))

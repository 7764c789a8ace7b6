"""Cards for tests: of recorded readings, or of lines and codes that a test places."""

import io
import json
from collections.abc import Iterator
from typing import Any

from PIL import Image

from pipelines.barcodes import Barcode
from pipelines.bounding_box import BoundingBox
from pipelines.image import PhotoText, Reading, ReadText, TextLine
from pipelines.product import DoubtKind, ProductCard, card_from
from tests.paths import ROOT

PHOTOS = ROOT / "fixtures" / "products"
READINGS: dict[str, Any] = json.loads((PHOTOS / "readings.json").read_text(encoding="utf-8"))


def line(text: str, x: int, y: int, tall: int, *, confidence: float = 1.0) -> TextLine:
    wide = max(tall * len(text) // 2, tall // 2)
    box = BoundingBox(x, y, wide, tall)
    return TextLine(text, confidence, box, ((x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall)))


def photo_text(*lines: TextLine, codes: tuple[Barcode, ...] = (), picture: bool = False) -> PhotoText:
    """Put lines and codes on a photo; with `picture` it has pixels, all white."""
    jpeg = io.BytesIO()
    if picture:
        Image.new("L", (1000, 1000), 255).save(jpeg, "JPEG")
    return PhotoText(1000, 1000, "\n".join(line.text for line in lines), lines, (), codes, jpeg.getvalue())


def reads(text: str | None) -> ReadText:
    """Make an engine that reads one line in the middle of a picture; with None it must not be called."""

    async def read(jpeg: bytes) -> Reading:
        assert text is not None, "a second reading"
        with Image.open(io.BytesIO(jpeg)) as cut:
            middle = BoundingBox(cut.width // 4, cut.height // 4, cut.width // 2, cut.height // 2)
        return Reading(text, (TextLine(text, 1.0, middle),) if text else ())

    return read


def bars(value: str, form: str = "EAN-13", *, x: int = 300, y: int = 500) -> Barcode:
    return Barcode(form, value, BoundingBox(x, y, 300, 100))


def said(card: ProductCard) -> dict[str, str]:
    return {name: field.value for name, field in card.fields.items()}


def asked(card: ProductCard) -> dict[str, tuple[DoubtKind, list[str]]]:
    return {doubt.field: (doubt.kind, [field.value for field in doubt.candidates]) for doubt in card.doubts}


def recorded(*names: str) -> ProductCard:
    """Make a card of photos as they were read and decoded, with their pixels."""
    return card_from([seen(name) for name in names])


def seen(name: str) -> PhotoText:
    """Return the recorded text and codes of a photo."""
    kept = READINGS[name]
    codes = tuple(
        Barcode(barcode["format"], barcode["value"], BoundingBox(**barcode["box"])) for barcode in kept["barcodes"]
    )
    photo = (PHOTOS / name).read_bytes()
    return PhotoText(kept["width"], kept["height"], kept["text"], _lines(kept), (), codes, photo)


def rescans(name: str) -> Iterator[Reading]:
    """Yield the recorded readings of rescanned places."""
    for closer in READINGS[name]["closer"]:
        yield Reading(closer["text"], _lines(closer))


def _lines(reading: dict[str, Any]) -> tuple[TextLine, ...]:
    return tuple(
        TextLine(
            line["text"], line["confidence"], BoundingBox(**line["box"]), tuple((x, y) for x, y in line["corners"])
        )
        for line in reading["lines"]
    )

"""Selects lines that may name a product, without contents, prices and small print."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipelines.bounding_box import BoundingBox
from pipelines.product.evidence import Evidence
from pipelines.product.layout import Piece
from pipelines.product.price_parsing import amounts, role_of
from pipelines.product.size_parsing import without_sizes
from pipelines.product.vocabulary import accented, is_kind, is_thing, plain

WELL_READ = 0.95
_READ_AT_ALL = 0.6
_SAME_TYPE = 1.3
_CLOSE = 0.8
_MOST_ROWS = 3
# Words on packages and tags that are no name.
_NOT_A_NAME = re.compile(
    r"\b(?:sku\b|cod(?:igo)?\b|ingredientes?\b|hecho en|made in|distribuid|elaborado|consumir|consum[eo] pref|"
    r"caduc|cad\b|lote?\b|exp\b|www\.|tel\b|precio|oferta|promo|ahorr|antes\b|ahora\b|anticip|"
    r"informacion|nutriment|porcion|calorias|energia\b|kcal|"
    r"conserv|manteng|refrigere|agitese|contenido|cont\.|peso neto|net w|"
    r"marca registrada|s\.?a\.? de c\.?v|industria|vigencia|"
    r"valid|hasta|aplica|impuestos|iva\b|pasillo|anaquel|depto|departamento|exceso|"
    r"gratis|carniceria|panaderia|abarrotes|supermercado|recargable|articulo|existencias|mensual|"
    r"mayoreo|a partir de|pagos de|meses|dto\b|unidad\b|unitario|registrad[ao])"
    r"|http|\.com|@|c/u|^\W*nuev[oa]\W*$"
)
MARK = re.compile(r"^marca(?:\s*+:)?\s++(?!registrada)(.+)$", re.IGNORECASE)
# A line that begins so goes on with the one above it: Jabón / para manos.
_GOES_ON = re.compile(r"(?:de|del|para|con|sin|en|al?|y|tipo|sabor)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """A line that may name the product, without contents.

    `type` is the size of its type as a share of the photo, `kinds` counts words that name kinds of things.
    """

    text: str
    piece: Piece
    type: float
    kinds: int

    @property
    def is_thing(self) -> bool:
        return is_thing(self.text.split()[0])

    @property
    def is_well_read(self) -> bool:
        return self.piece.confidence >= WELL_READ


def lines_of(evidence: Evidence) -> list[CandidateLine]:
    """Return the lines that may name the product, in reading order."""
    return [words for piece in evidence.pieces if (words := _words(piece, evidence)) is not None]


def joined(lines: list[CandidateLine]) -> list[CandidateLine]:
    """Join lines that continue in the same type: Detergente / líquido."""
    # Because of two lines on their side the upper one is unknown, lines that begin small come last.
    left, whole = sorted(lines, key=lambda line: line.text[0].islower()), []
    while left:
        line = left.pop(0)
        for _ in range(_MOST_ROWS - 1):
            following = next((other for other in left if _goes_on(line, other)), None)
            if following is None:
                break
            left.remove(following)
            line = one_of(line, following)
        whole.append(line)
    return whole


def one_of(line: CandidateLine, following: CandidateLine) -> CandidateLine:
    """Join two lines into one with the place of both and the lower confidence."""
    piece = replace(
        following.piece,
        confidence=min(line.piece.confidence, following.piece.confidence),
        box=BoundingBox.around((*line.piece.box.ends, *following.piece.box.ends)),
    )
    return CandidateLine(f"{line.text} {following.text}", piece, line.type, line.kinds + following.kinds)


def _words(piece: Piece, evidence: Evidence) -> CandidateLine | None:
    text = without_sizes(piece.text)
    letters = sum(letter.isalpha() for letter in text)
    if letters < 3 or letters < len(text.replace(" ", "")) * 0.6 or piece.confidence < _READ_AT_ALL:  # noqa: PLR2004 -- "3 L"
        return None
    if _NOT_A_NAME.search(plain(text)) and not MARK.search(text):
        return None
    if amounts(piece.text) or (role_of(text + " ") and len(text.split()) <= 2):  # noqa: PLR2004 -- "precio normal"
        return None
    spelt = " ".join(accented(word) for word in text.split())
    photo_text = evidence.photo_texts[piece.photo]
    return CandidateLine(spelt, piece, piece.tall / max(photo_text.width, photo_text.height, 1), _kinds(spelt.split()))


def _kinds(words: Iterable[str]) -> int:
    return sum(is_kind(word.strip(".,:;")) for word in words)


def _goes_on(line: CandidateLine, other: CandidateLine) -> bool:
    upper, lower = line.piece, other.piece
    if upper.is_on_its_side and lower.above(upper) and other.text[0].islower():
        upper, lower = lower, upper
    if not upper.above(lower) or other.text.isupper() != line.text.isupper():
        return False
    close = lower.top - upper.bottom < line.piece.tall * _CLOSE
    if not close or not 1 / _SAME_TYPE < other.type / line.type < _SAME_TYPE:
        return False
    # A line that begins with a capital stands alone: Granola / Sin azúcar.
    if other.text[0].islower() or (line.text.isupper() and _GOES_ON.match(other.text)):
        return True
    return line.is_thing and " " not in line.text and not other.is_thing and other.kinds > 0

"""The brand and the name of a product, by the size of its type, its place, and words that name kinds of things."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipelines.product.card import CONFIDENT, Doubt, DoubtKind, Field
from pipelines.product.evidence import Evidence, Found
from pipelines.product.layout import Piece
from pipelines.product.prices import amounts, role_of
from pipelines.product.sizes import without_sizes
from pipelines.product.words import accented, is_kind, plain

_AGREED, _SURE, _LIKELY, _WEAK = 0.96, 0.91, 0.8, 0.6
_WELL_READ = 0.95
_MOST_WORDS_OF_A_BRAND = 4
_SAME_TYPE = 1.3
# What packages and tags say that is no name.
_ASIDE = re.compile(
    r"(?:\bsku\b|\bcod(?:igo)?\b|\bingredientes?\b|hecho en|made in|distribuid|elaborado|consumir|consum[eo] pref|caduc|\bcad\b|\blote?\b|"
    r"\bexp\b|www\.|http|\.com|@|\btel\b|precio|\boferta|promo|ahorr|antes|ahora|antic|informaci[oó]n|nutriment|porci[oó]n|calor[ií]as|"
    r"conserv|mant[eé]ng|refrigere|ag[ií]tese|contenido|cont\.|peso neto|net w|marca registrada|s\.?a\.? de c\.?v|industria|"
    r"vigencia|v[aá]lid|hasta|aplica|impuestos|iva\b|pasillo|anaquel|depto|departamento|exceso|^\W*nuev[oa]\W*$|^gratis|c/u|"
    r"recargable|art[ií]culo|existencias|mensual|unidad\b|unitario|oferta|registrad[ao]|c[oó]digo)",
    re.IGNORECASE,
)
_MARK = re.compile(r"^marca\s*:?\s+(?!registrada)(.+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
    """A line that may name the product, without contents; `kinds` counts its words that name kinds of things."""

    text: str
    piece: Piece
    kinds: int

    @property
    def count(self) -> int:
        return len(self.text.split())


def names_of(evidence: Evidence) -> Found:
    """Find brand and name; where a tag and a front both name the product they have to agree."""
    lines = [words for piece in evidence.pieces if (words := _words(piece)) is not None]
    priced = {piece.photo for piece in evidence.pieces if amounts(piece.text)}
    fronts = [line for line in lines if line.piece.photo not in priced]
    tags = [line for line in lines if line.piece.photo in priced]
    brand = _brand(fronts, tags, evidence)
    name = _name(fronts, tags, brand)
    fields = {key: field for key, field in (("brand", brand), ("name", name)) if field}
    doubts = tuple(Doubt(DoubtKind.UNSURE, key, (field,)) for key, field in fields.items() if not field.confident)
    return Found(fields, doubts)


def _words(piece: Piece) -> Words | None:
    text = without_sizes(piece.text)
    letters = sum(letter.isalpha() for letter in text)
    if letters < 3 or letters < len(text.replace(" ", "")) * 0.6 or piece.confidence < _WEAK:  # noqa: PLR2004 -- "3 L"
        return None
    if _ASIDE.search(text) and not _MARK.search(text):
        return None
    if amounts(piece.text) or (role_of(text + " ") and len(text.split()) <= 2):  # noqa: PLR2004 -- "precio normal"
        return None
    spelt = " ".join(accented(word) for word in text.split())
    return Words(spelt, piece, sum(is_kind(word.strip(".,:;")) for word in spelt.split()))


def _brand(fronts: list[Words], tags: list[Words], evidence: Evidence) -> Field | None:
    for line in (*fronts, *tags):
        told = _MARK.search(line.text)
        if told:
            return _field(told[1], line.piece, _SURE)
    if fronts:
        fits = [line for line in fronts if line.count <= _MOST_WORDS_OF_A_BRAND and not line.kinds]
        if not fits:
            return None
        best = max(fits, key=lambda line: line.piece.tall)
        others = [line for line in fits if line is not best]
        largest = all(line.piece.tall * 1.15 < best.piece.tall for line in others)
        on_tag = any(_contains(tag.text, best.text) for tag in tags)
        confidence = _AGREED if on_tag else _SURE if largest and _is_well_read(best) else _LIKELY if largest else _WEAK
        return _field(best.text, best.piece, confidence)
    return _brand_on_tag(tags)


def _brand_on_tag(tags: list[Words]) -> Field | None:
    """Take from a tag's line the capital words that name no kind of thing, or a line of its own in capitals."""
    for line in sorted(tags, key=lambda line: (-line.kinds, -line.piece.tall)):
        words = line.text.split()
        capital = [word for word in words[1:] if word[:1].isupper() and not is_kind(word)]
        if line.kinds and capital and (not line.text.isupper() or len(capital) == 1):
            return _field(" ".join(capital), line.piece, _WEAK)
    alone = [line for line in tags if not line.kinds and line.count <= 3]  # noqa: PLR2004 -- as short as brands are
    named = any(line.kinds for line in tags)
    if alone and named:
        best = max(alone, key=lambda line: line.piece.tall)
        return _field(best.text, best.piece, _WEAK)
    return None


def _name(fronts: list[Words], tags: list[Words], brand: Field | None) -> Field | None:
    front, tag = _line_of_name(fronts, brand), _line_of_name(tags, brand)
    best = front or tag
    if best is None:
        return None
    agreed = bool(front and tag and _share(front.text, tag.text))
    sure = best.kinds > 0 and _is_well_read(best)
    confidence = _AGREED if agreed and _is_well_read(best) else _LIKELY if sure else _WEAK
    return _field(best.text, best.piece, confidence)


def _line_of_name(lines: list[Words], brand: Field | None) -> Words | None:
    rest = [line for line in lines if not (brand and plain(line.text) == plain(brand.value))]
    if not rest:
        return None
    best = max(rest, key=lambda line: (line.kinds > 0, line.piece.tall * (1 + 0.2 * line.kinds)))
    return _continued(best, rest)


def _continued(line: Words, lines: Iterable[Words]) -> Words:
    """Join the next line where it goes on in the same type: Detergente / líquido."""
    for other in lines:
        close = line.piece.above(other.piece) and other.piece.top - line.piece.bottom < line.piece.tall * 0.7
        ratio = other.piece.tall / (line.piece.tall or 1)
        if other is not line and close and 1 / _SAME_TYPE < ratio < _SAME_TYPE and (other.kinds or other.count == 1):
            piece = replace(line.piece, confidence=min(line.piece.confidence, other.piece.confidence))
            return Words(f"{line.text} {other.text}", piece, line.kinds + other.kinds)
    return line


def _is_well_read(line: Words) -> bool:
    return line.piece.confidence >= _WELL_READ


def _contains(text: str, words: str) -> bool:
    return f" {plain(words)} " in f" {plain(text)} "


def _share(one: str, other: str) -> bool:
    first, second = ({plain(word) for word in text.split() if len(word) > 3} for text in (one, other))  # noqa: PLR2004
    return bool(first) and len(first & second) * 2 >= len(first)


def _field(value: str, piece: Piece, confidence: float) -> Field:
    limit = confidence if piece.confidence >= CONFIDENT else min(confidence, piece.confidence * CONFIDENT)
    return Field(value.strip(" .,:;-·"), limit, piece.photo, piece.box)

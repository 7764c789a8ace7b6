"""The brand and the name of a product, by the size of its type, its place, and words that name kinds of things."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from pipelines.product.card import CONFIDENT, Field
from pipelines.product.evidence import Evidence, Found
from pipelines.product.layout import Piece
from pipelines.product.prices import amounts, role_of
from pipelines.product.sizes import without_sizes
from pipelines.product.words import accented, is_kind, is_thing, plain

_AGREED, _SURE, _LIKELY, _WEAK = 0.96, 0.91, 0.8, 0.6
_WELL_READ = 0.95
_MOST_WORDS_OF_A_BRAND = 4
_SAME_TYPE = 1.3
_REACH = 1.9
_THING, _QUALITY = 0.55, 0.9
# What packages and tags say that is no name.
_ASIDE = re.compile(
    r"(?:\bsku\b|\bcod(?:igo)?\b|\bingredientes?\b|hecho en|made in|distribuid|elaborado|consumir|consum[eo] pref|"
    r"caduc|\bcad\b|\blote?\b|\bexp\b|www\.|http|\.com|@|\btel\b|precio|\boferta|promo|ahorr|antes|ahora|antic|"
    r"informaci[oó]n|nutriment|porci[oó]n|calor[ií]as|"
    r"conserv|mant[eé]ng|refrigere|ag[ií]tese|contenido|cont\.|peso neto|net w|"
    r"marca registrada|s\.?a\.? de c\.?v|industria|vigencia|"
    r"v[aá]lid|hasta|aplica|impuestos|iva\b|pasillo|anaquel|depto|departamento|exceso|"
    r"^\W*nuev[oa]\W*$|^gratis|c/u|carniceria|panaderia|abarrotes|supermercado|recargable|art[ií]culo|existencias|mensual|"
    r"unidad\b|unitario|oferta|registrad[ao]|c[oó]digo)",
    re.IGNORECASE,
)
_MARK = re.compile(r"^marca\s*:?\s+(?!registrada)(.+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
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
        return self.piece.confidence >= _WELL_READ


class _Named(NamedTuple):
    """What names a product: `told` where a tag bears out which line is which."""

    name: Words | None
    brand: Words | None
    told: bool = False


def names_of(evidence: Evidence) -> Found:
    """Find brand and name; where a tag and a front both name the product they have to agree."""
    lines = [words for piece in evidence.pieces if (words := _words(piece, evidence)) is not None]
    prices = [piece for piece in evidence.pieces if amounts(piece.text)]
    tags = [line for line in lines if any(_is_by(line.piece, price) for price in prices)]
    fronts = [line for line in lines if line not in tags]
    named = _on_front(fronts, tags) if fronts else _Named(None, None)
    fields = {}
    brand = _marked(lines) or (_brand_field(named, fronts) if named.brand else _brand_on_tag(tags))
    if brand:
        fields["brand"] = brand
    name = _name_field(named, tags) if named.name else _name_on_tag(tags, brand)
    if name:
        fields["name"] = name
    return Found(fields)


def _words(piece: Piece, evidence: Evidence) -> Words | None:
    text = without_sizes(piece.text)
    letters = sum(letter.isalpha() for letter in text)
    if letters < 3 or letters < len(text.replace(" ", "")) * 0.6 or piece.confidence < _WEAK:  # noqa: PLR2004 -- "3 L"
        return None
    if _ASIDE.search(plain(text)) and not _MARK.search(text):
        return None
    if amounts(piece.text) or (role_of(text + " ") and len(text.split()) <= 2):  # noqa: PLR2004 -- "precio normal"
        return None
    spelt = " ".join(accented(word) for word in text.split())
    sight = evidence.sights[piece.photo]
    kinds = sum(is_kind(word.strip(".,:;")) for word in spelt.split())
    return Words(spelt, piece, piece.tall / max(sight.width, sight.height, 1), kinds)


def _is_by(piece: Piece, price: Piece) -> bool:
    """Say whether a line stands on the tag of a price: within two heights of its type."""
    across = piece.left < price.right + price.tall and price.left - price.tall < piece.right
    return piece.photo == price.photo and across and abs(piece.y - price.y) < max(price.tall, piece.tall * 2) * _REACH


def _on_front(fronts: list[Words], tags: list[Words]) -> _Named:
    """Tell name and brand apart: by the tag's line, where the name comes before the brand, else by their type."""
    line = max((tag.text for tag in tags), key=len, default="")
    same = next((words for words in fronts if plain(words.text) == plain(line)), None)
    if same:
        others = [words for words in fronts if words is not same]
        return _Named(same, max(others, key=_like_a_brand, default=None), told=same.kinds > 0)
    both = sorted((words for words in fronts if _contains(line, words.text)), key=lambda words: -words.type)[:2]
    if len(both) == 2:  # noqa: PLR2004 -- a name and a brand
        first, last = sorted(both, key=lambda words: plain(line).index(plain(words.text)))
        if last.is_thing and not first.is_thing:
            first, last = last, first
        return _Named(first, last, told=first.is_thing)
    brand = max((words for words in fronts if _is_short(words)), key=_like_a_brand, default=None)
    rest = [words for words in fronts if words is not brand]
    name = max(rest, key=_like_a_name, default=None)
    if brand and brand.is_thing and not (name and name.type * _SAME_TYPE < brand.type and name.is_thing):
        # What is set largest says what it is: the package has no brand in sight, or a smaller one.
        others = [words for words in rest if _is_short(words) and not words.kinds]
        return _Named(brand, max(others, key=_like_a_brand, default=None))
    return _Named(_continued(name, rest) if name else None, brand)


def _is_short(words: Words) -> bool:
    return len(words.text.split()) <= _MOST_WORDS_OF_A_BRAND


def _like_a_brand(words: Words) -> float:
    """Return the size of type, less where the words say what a thing is."""
    return words.type * (_THING if words.is_thing else _QUALITY if words.kinds else 1)


def _like_a_name(words: Words) -> float:
    return words.type * (1 / _THING if words.is_thing else 1 / _QUALITY if words.kinds else 1)


def _continued(line: Words, lines: Iterable[Words]) -> Words:
    """Join the next line where it goes on in the same type: Detergente / líquido."""
    for other in lines:
        if other is line or not line.piece.above(other.piece) or other.text.isupper() != line.text.isupper():
            continue
        close = other.piece.top - line.piece.bottom < line.piece.tall * 0.7
        goes_on = other.text[0].islower() or (" " not in line.text and " " not in other.text and other.kinds)
        if close and goes_on and 1 / _SAME_TYPE < other.type / line.type < _SAME_TYPE:
            piece = replace(line.piece, confidence=min(line.piece.confidence, other.piece.confidence))
            return Words(f"{line.text} {other.text}", piece, line.type, line.kinds + other.kinds)
    return line


def _brand_field(named: _Named, fronts: list[Words]) -> Field:
    name, brand = named.name, named.brand
    assert brand is not None  # noqa: S101 -- asked before
    others = [words.type for words in fronts if words not in (name, brand)]
    largest = all(size * 1.15 < brand.type for size in others)
    clear = largest and not brand.kinds and name is not None and name.kinds > 0 and brand.is_well_read
    return _field(brand, _AGREED if clear and named.told else _SURE if clear else _LIKELY if largest else _WEAK)


def _name_field(named: _Named, tags: list[Words]) -> Field:
    name = named.name
    assert name is not None  # noqa: S101 -- asked before
    agreed = named.told or any(name.kinds and _contains(tag.text, name.text) for tag in tags)
    likely = _LIKELY if name.is_thing and name.is_well_read else _WEAK
    return _field(name, _AGREED if agreed and name.is_well_read else likely)


def _marked(lines: Iterable[Words]) -> Field | None:
    for line in lines:
        told = _MARK.search(line.text)
        if told:
            return replace(_field(line, _SURE), value=told[1].strip())
    return None


def _brand_on_tag(tags: list[Words]) -> Field | None:
    """Take the capital words of a tag's line that name no kind of thing, or a line of its own."""
    for line in sorted(tags, key=lambda line: (-line.kinds, -line.type)):
        capital = [word for word in line.text.split()[1:] if word[:1].isupper() and not is_kind(word)]
        if capital and not line.text.isupper():
            return replace(_field(line, _WEAK), value=" ".join(capital))
    alone = [line for line in tags if not line.kinds and _is_short(line)]
    if alone and any(line.kinds for line in tags):
        return _field(max(alone, key=lambda line: line.type), _WEAK)
    return None


def _name_on_tag(tags: list[Words], brand: Field | None) -> Field | None:
    rest = [line for line in tags if not (brand and plain(line.text) == plain(brand.value))]
    if not rest:
        return None
    best = _continued(max(rest, key=_like_a_name), rest)
    return _field(best, _LIKELY if best.is_thing and best.is_well_read else _WEAK)


def _contains(text: str, words: str) -> bool:
    return f" {plain(words)} " in f" {plain(text)} "


def _field(words: Words, confidence: float) -> Field:
    piece = words.piece
    limit = confidence if piece.confidence >= CONFIDENT else min(confidence, piece.confidence * CONFIDENT)
    return Field(words.text.strip(" .,:;-·"), limit, piece.photo, piece.box)

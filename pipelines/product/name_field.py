"""Finds brand and name of a product by size of type, place, and words that name kinds of things.

A name or a brand is sure only if the front of the package and the price tag corroborate each other. The lines of the
front and the one line of the tag have the same words then, and none of the tag's is left over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from heapq import nlargest
from itertools import accumulate
from typing import NamedTuple

from pipelines.product.candidate_lines import MARK, CandidateLine, joined, lines_of, one_of
from pipelines.product.card import CONFIDENT, Field
from pipelines.product.evidence import Evidence, Findings
from pipelines.product.layout import Piece
from pipelines.product.price_parsing import amounts
from pipelines.product.vocabulary import is_kind, plain

_AGREED, _MARKED, _LIKELY, _WEAK = 0.96, 0.91, 0.8, 0.6
_MOST_WORDS_OF_A_BRAND = 4
_SAME_TYPE = 1.3
_REACH = 1.9
_MOST_LINES, _MOST_LINES_OF_TAGS = 90, 30
_THING, _QUALITY = 0.55, 0.9


class _Named(NamedTuple):
    """Name and brand; `on_tag` are the lines that a tag repeats word for word."""

    name: CandidateLine | None
    brand: CandidateLine | None
    on_tag: tuple[CandidateLine, ...] = ()


class _TagMatch(NamedTuple):
    """Parts of a tag's line that stand on the front too, in the tag's order; `rest` are its other words.

    `exact` if the parts are spaced as on the tag.
    """

    parts: tuple[CandidateLine, ...]
    rest: tuple[str, ...]
    exact: bool


def names_of(evidence: Evidence) -> Findings:
    """Find brand and name; a tag and a front that both name the product have to agree."""
    every = lines_of(evidence)
    lines = _largest(every, _MOST_LINES)
    prices = [piece for piece in evidence.pieces if amounts(piece.text) or _is_at(piece, evidence.found.get("price"))]
    near = [line for line in lines if any(_is_by(line.piece, price) for price in prices)]
    fronts = joined([line for line in lines if line not in near])
    tags = _largest(near, _MOST_LINES_OF_TAGS)
    named = _on_front(fronts, tags) if fronts else _Named(None, None)
    fields = {}
    brand = _marked(every) or (_brand_field(named, fronts) if named.brand else _brand_on_tag(tags))
    if brand:
        fields["brand"] = brand
    name = _name_field(named, tags) if named.name else _name_on_tag(tags, brand)
    if name:
        fields["name"] = name
    return Findings(fields)


def _largest(lines: list[CandidateLine], most: int) -> list[CandidateLine]:
    """Return the lines in the largest type, in order: each is compared with each, and a page has hundreds."""
    kept = {id(line) for line in nlargest(most, lines, key=lambda line: line.type)}
    return [line for line in lines if id(line) in kept]


def _is_at(piece: Piece, price: Field | None) -> bool:
    return price is not None and (piece.photo, piece.box) == (price.photo, price.box)


def _is_by(piece: Piece, price: Piece) -> bool:
    """Say whether a line stands on the tag of a price: within two heights of its type."""
    across = piece.left < price.right + price.tall and price.left - price.tall < piece.right
    return piece.photo == price.photo and across and abs(piece.y - price.y) < max(price.tall, piece.tall * 2) * _REACH


def _on_front(fronts: list[CandidateLine], tags: list[CandidateLine]) -> _Named:
    """Find name and brand on the front: by the tag's line if it repeats them, else by their type."""
    match = max((_matched(fronts, tag) for tag in _rows(tags)), key=lambda matched: len(matched.parts), default=None)
    named = _by_tag(match, fronts) if match and match.parts else None
    return named or _by_type(fronts)


def _rows(tags: list[CandidateLine]) -> list[CandidateLine]:
    """Return the lines of the tags, and each two of them as one: a long name takes two lines."""
    pairs = [
        one_of(upper, other)
        for upper in tags
        for other in tags
        if upper is not other and upper.piece.above(other.piece)
    ]
    return sorted((*tags, *pairs), key=lambda tag: -len(tag.text))


def _matched(fronts: Iterable[CandidateLine], tag: CandidateLine) -> _TagMatch:
    """Match the lines of a front with a tag's line, the longest first."""
    words = plain(tag.text).split()
    owner: list[CandidateLine | None] = [None] * len(words)
    exact = True
    for front in sorted(fronts, key=lambda line: -len(line.text)):
        own = plain(front.text).split()
        for start, end in _spans(words, "".join(own)):
            if not any(owner[start:end]):
                owner[start:end] = [front] * (end - start)
                exact = exact and words[start:end] == own
                break
    parts = tuple(dict.fromkeys(part for part in owner if part))
    return _TagMatch(parts, tuple(word for word, part in zip(words, owner, strict=True) if not part), exact)


def _spans(words: list[str], letters: str) -> Iterable[tuple[int, int]]:
    """Yield runs of words that have these letters, with any spacing."""
    whole, starts = "".join(words), list(accumulate(map(len, words), initial=0))
    places = {start: place for place, start in enumerate(starts)}
    for place, start in enumerate(starts[:-1]):
        end = places.get(start + len(letters), 0)
        if end > place and whole.startswith(letters, start):
            yield place, end


def _by_tag(match: _TagMatch, fronts: list[CandidateLine]) -> _Named | None:
    things = [part for part in match.parts if part.is_thing]
    others = [part for part in match.parts if part not in things]
    whole = match.exact and not match.rest
    if len(match.parts) == 1:
        (part,) = match.parts
        if match.rest and not (things and part.kinds > 0):
            return None
        brand = max((words for words in fronts if words is not part), key=_like_a_brand, default=None)
        return _Named(part, brand, match.parts if whole and part.kinds else ())
    if len(things) == 1:
        brand = max(others, key=_like_a_brand)
        return _Named(things[0], brand, match.parts if whole and len(others) == 1 else ())
    # Because a tag mostly names the product before its brand, the order decides.
    first, last, *_ = match.parts
    return _Named(first, last)


def _by_type(fronts: list[CandidateLine]) -> _Named:
    brand = max((words for words in fronts if _is_short(words)), key=_like_a_brand, default=None)
    rest = [words for words in fronts if words is not brand]
    name = max(rest, key=_like_a_name, default=None)
    if brand and brand.is_thing and not (name and name.type * _SAME_TYPE < brand.type and name.is_thing):
        # Because the largest line names a kind of thing, the brand is smaller or absent.
        others = [words for words in rest if _is_short(words) and not words.kinds]
        return _Named(brand, max(others, key=_like_a_brand, default=None))
    return _Named(name, brand)


def _is_short(words: CandidateLine) -> bool:
    return len(words.text.split()) <= _MOST_WORDS_OF_A_BRAND


def _like_a_brand(words: CandidateLine) -> float:
    """Score a brand by the size of its type; words for a kind of thing lower it."""
    return words.type * (_THING if words.is_thing else _QUALITY if words.kinds else 1)


def _like_a_name(words: CandidateLine) -> float:
    return words.type * (1 / _THING if words.is_thing else 1 / _QUALITY if words.kinds else 1)


def _brand_field(named: _Named, fronts: list[CandidateLine]) -> Field:
    name, brand = named.name, named.brand
    assert brand is not None  # noqa: S101 -- asked before
    if brand in named.on_tag and brand.is_well_read:
        return _field(brand, _AGREED)
    largest = all(words.type * 1.15 < brand.type for words in fronts if words not in (name, brand))
    return _field(brand, _LIKELY if largest else _WEAK)


def _name_field(named: _Named, tags: list[CandidateLine]) -> Field:
    name = named.name
    assert name is not None  # noqa: S101 -- asked before
    if name in named.on_tag and name.is_well_read:
        return _field(name, _AGREED)
    likely = name.is_thing and name.is_well_read and (not tags or not named.on_tag)
    return _field(name, _LIKELY if likely else _WEAK)


def _marked(lines: Iterable[CandidateLine]) -> Field | None:
    for line in lines:
        on_tag = MARK.search(line.text)
        if on_tag:
            return replace(_field(line, _MARKED), value=on_tag[1].strip())
    return None


def _brand_on_tag(tags: list[CandidateLine]) -> Field | None:
    """Take the words behind the name on a tag's line, from a capital on, or a line of its own."""
    for line in sorted(tags, key=lambda line: (-line.kinds, -line.type)):
        brand = _capitals(line)
        if brand:
            return replace(_field(line, _WEAK), value=brand)
    alone = [line for line in tags if not line.kinds and _is_short(line)]
    if alone and any(line.kinds for line in tags):
        return _field(max(alone, key=lambda line: line.type), _WEAK)
    return None


def _capitals(line: CandidateLine) -> str:
    """Return the words from the first capital on that follows a small letter: Pan integral / Pan Aurora."""
    words = line.text.split()
    small = next((place for place, word in enumerate(words) if place and word[0].islower()), None)
    if small is None:
        brand = [word for word in words[1:] if word[0].isupper() and not is_kind(word)]
        return "" if line.text.isupper() else " ".join(brand)
    start = next((place for place in range(small, len(words)) if words[place][0].isupper()), None)
    return "" if start is None else " ".join(words[start:])


def _name_on_tag(tags: list[CandidateLine], brand: Field | None) -> Field | None:
    rest = [line for line in joined(tags) if not (brand and plain(line.text) == plain(brand.value))]
    if not rest:
        return None
    best = max(rest, key=_like_a_name)
    name = best.text
    if brand and plain(name).endswith(f" {plain(brand.value)}"):
        name = name[: -len(brand.value)]
    field = _field(best, _LIKELY if best.is_thing and best.is_well_read else _WEAK)
    return replace(field, value=_trimmed(name))


def _field(words: CandidateLine, confidence: float) -> Field:
    piece = words.piece
    limit = confidence if piece.confidence >= CONFIDENT else min(confidence, piece.confidence * CONFIDENT)
    return Field(_trimmed(words.text), limit, piece.photo, piece.box)


def _trimmed(text: str) -> str:
    return text.strip(" .,:;-·")

"""Chooses the price among the amounts of a label, by words, size of type, and sums."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from heapq import nlargest

from pipelines.image import PhotoText
from pipelines.product import glyphs
from pipelines.product.card import Doubt, DoubtKind, Field
from pipelines.product.evidence import NOTHING, Evidence, Findings
from pipelines.product.layout import Piece
from pipelines.product.price_parsing import Amount, Role, amounts, announces, bare, upside_down
from pipelines.product.size_parsing import sizes

_SURE, _CORROBORATED, _UNSIGNED, _UNPOINTED, _AMBIGUOUS = 0.95, 0.99, 0.75, 0.7, 0.5
_LARGER = 1.35
_FAR_LARGER = 2
# Because each check decodes a part of the photo, their number is limited; no label has so many amounts.
_MOST_CHECKED = 40
_LEAST_WITH_CENTS = 100  # a digit and two of cents
_WELL_READ = 0.85
_CENTS = Decimal("0.011")
_DOLLARS = {"MXN", "USD", "COP", "CLP", "ARS", "UYU", "CAD", "AUD", "DOP", "BRL", "NIO"}
# ISO 4217: prices in these have no cents.
_WHOLE_MONEY = {"CLP", "COP", "CRC", "JPY", "PYG"}
# A price without cents; raised ones are taken for such marks.
_WHOLE = re.compile(r"((?:US|MX)?[$€]?\s?\d{1,4}(?P<cents>[.,]\d\d)?)[°º'\"”*]{0,2}")
# Units of unit prices in base units of sizes.
_PER = {"kg": (1000, "g"), "g": (1, "g"), "100 g": (100, "g"),
        "L": (1000, "ml"), "ml": (1, "ml"), "100 ml": (100, "ml"),
        "pz": (1, "pz"), "m": (100, "cm"), "rollo": (1, "pz"), "lb": (16, "oz"), "oz": (1, "oz")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Priced:
    """An amount on a photo; `known_cents` if it is sure which digits are cents."""

    amount: Amount
    piece: Piece
    known_cents: bool


def price_of(evidence: Evidence) -> Findings:
    """Find the price and its currency; other amounts become details."""
    candidates = list(_priced(evidence))
    chosen, rivals = _chosen(candidates)
    if not chosen:
        return NOTHING
    corroborated = _is_corroborated(chosen, candidates, evidence)
    confidence, kind = _confidence(chosen, evidence.shop_currency, corroborated=corroborated)
    if not corroborated and _is_smaller_than_unread(chosen, candidates, evidence):
        confidence = min(confidence, _UNPOINTED)
    value = str(chosen.amount.value)
    field = Field(value, confidence, chosen.piece.photo, chosen.piece.box)
    doubts: tuple[Doubt, ...] = ()
    if rivals:
        field = replace(field, confidence=min(confidence, _AMBIGUOUS))
        doubts = (Doubt(DoubtKind.SEVERAL, "price", (field, *(_field(rival) for rival in rivals))),)
    elif kind is DoubtKind.CENTS:
        other = _turned_over(chosen.amount.value)
        if other is None and chosen.amount.value >= _LEAST_WITH_CENTS:
            other = chosen.amount.value.scaleb(-2)
        values = [value] if other is None else [value, str(other)]
        if chosen.amount.raised:
            values.reverse()
        field = replace(field, value=values[0])
        doubts = (Doubt(kind, "price", tuple(replace(field, value=price) for price in values)),)
    elif kind:
        doubts = (Doubt(kind, "price", (field,)),)
    return Findings(
        {"price": field, "currency": _currency(chosen, candidates, evidence, field)},
        doubts,
        _details(chosen, candidates),
    )


def _priced(evidence: Evidence) -> Iterator[Priced]:
    for photo, photo_text in enumerate(evidence.photo_texts):
        pieces = _joined(evidence.of_photo(photo))
        announcing = [piece for piece in pieces if announces(piece.text + " ") and not amounts(piece.text)]
        found = [
            Priced(amount, piece, _is_known(amount))
            for piece in pieces
            for amount in amounts(piece.text, before=_before(piece, announcing))
        ]
        if not any(priced.amount.role in {Role.PRICE, Role.NOW} for priced in found):
            found += _upside_down(pieces)
        tallest = {id(priced.piece) for priced in nlargest(_MOST_CHECKED, found, key=lambda priced: priced.piece.tall)}
        for priced in found:
            yield _with_print_checked(priced, photo_text) if id(priced.piece) in tallest else priced
        if not found:
            yield from (_with_print_checked(priced, photo_text) for priced in _bare(pieces))


def _bare(pieces: list[Piece]) -> list[Priced]:
    """Take a number far larger than all other text for a price whose sign wasn't read."""
    largest = sorted(pieces, key=lambda piece: piece.tall)
    amount = bare(largest[-1].text) if largest else None
    alone = len(largest) > 1 and largest[-1].tall > largest[-2].tall * _FAR_LARGER
    return [Priced(amount, largest[-1], known_cents=False)] if amount and alone else []


def _upside_down(pieces: list[Piece]) -> list[Priced]:
    """Take the largest line for a price that the engine read upside down: 00.69$ for $69.00."""
    largest = max(pieces, key=lambda piece: piece.tall, default=None)
    amount = upside_down(largest.text) if largest else None
    return [Priced(amount, largest, known_cents=True)] if amount and largest else []


def _is_known(amount: Amount) -> bool:
    return not amount.unpointed or amount.raised


def _with_print_checked(priced: Priced, photo_text: PhotoText) -> Priced:
    """Check the pixels: a struck amount is a former price, small last digits are cents."""
    amount, piece = priced.amount, priced.piece
    alone = len(re.sub(r"[\d.,$€\s]", "", piece.text)) <= 3  # noqa: PLR2004 -- a currency's name may stand by
    if not alone or not photo_text.jpeg:
        return priced
    if amount.role is Role.PRICE and glyphs.is_struck_through(photo_text, piece):
        return replace(priced, amount=replace(amount, role=Role.FORMER))
    if not amount.unpointed:
        return priced
    small = glyphs.has_small_cents(photo_text, piece) if amount.value >= _LEAST_WITH_CENTS else False
    if small:
        return Priced(replace(amount, value=amount.value.scaleb(-2), raised=True), piece, known_cents=True)
    # Because the end of a line on its side is unknown, cents may follow it unread.
    ends = not piece.is_on_its_side and not glyphs.has_unread_cents(photo_text, piece)
    return replace(priced, known_cents=small is False and ends)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Join the parts of a price: a sign, large digits, small raised cents."""
    signs = [piece for piece in pieces if piece.text in {"$", "€", "US$"}]
    tails = [piece for piece in pieces if re.fullmatch(r"\d\d", piece.text)]
    used: set[int] = set()
    joined = []
    for whole in pieces:
        stands = _WHOLE.fullmatch(whole.text)
        if not stands:
            continue
        sign = next((sign for sign in signs if _touch(sign, whole)), None)
        cents = None if stands["cents"] else next((tail for tail in tails if _are_cents(tail, whole)), None)
        if not (sign or cents):
            continue
        text = (sign.text if sign else "") + stands[1] + (f" {cents.text[:2]}" if cents else "")
        used |= {id(piece) for piece in (sign, whole, cents) if piece}
        joined.append(replace(whole, text=text))
    return [piece for piece in pieces if id(piece) not in used] + joined


def _touch(left: Piece, right: Piece) -> bool:
    gap, tall = right.left - left.right, max(left.tall, right.tall)
    return left.photo == right.photo and abs(left.y - right.y) < tall and -tall * 0.3 < gap < right.tall * 0.7


def _are_cents(cents: Piece, whole: Piece) -> bool:
    small = whole.tall * 0.2 < cents.tall < whole.tall * glyphs.SMALLER
    embedded = whole.top - whole.tall * 0.2 < cents.y < whole.bottom
    return small and embedded and _touch(whole, cents)


def _before(piece: Piece, announcing: Iterable[Piece]) -> str:
    """Return the nearest words that announce a price: left of it, or on the line above."""
    others = [other for other in announcing if other is not piece]
    level = [other for other in others if other.level_with(piece) and other.right <= piece.left + piece.tall / 2]
    above = [other for other in others if other.above(piece)]
    nearest = (*sorted(level, key=lambda other: -other.right), *sorted(above, key=lambda other: -other.y))
    return nearest[0].text + " " if nearest else ""


def _chosen(candidates: list[Priced]) -> tuple[Priced | None, list[Priced]]:
    """Return the price, and others that may be it as well."""
    for roles in ({Role.PRICE, Role.NOW}, {Role.UNIT}, {Role.SEVERAL}):
        fits = [priced for priced in candidates if priced.amount.role in roles]
        if any(priced.amount.signed for priced in fits):
            fits = [priced for priced in fits if priced.amount.signed or priced.amount.role is Role.NOW]
        if fits:
            return _largest(fits)
    return None, []


def _largest(fits: list[Priced]) -> tuple[Priced, list[Priced]]:
    now = [priced for priced in fits if priced.amount.role is Role.NOW]
    best = max(fits, key=lambda priced: priced.piece.tall)
    if now and best not in now:
        largest_now = max(now, key=lambda priced: priced.piece.tall)
        if largest_now.piece.tall * _LARGER >= best.piece.tall:
            best = largest_now
    same = [priced for priced in fits if priced.amount.value == best.amount.value]
    best = max(same, key=lambda priced: (priced.known_cents, priced.piece.tall))
    rivals: dict[Decimal, Priced] = {}
    for priced in fits:
        smaller = priced.piece.photo == best.piece.photo and priced.piece.tall * _LARGER <= best.piece.tall
        beaten = best.amount.role is Role.NOW and priced.amount.role is Role.PRICE
        if priced.amount.value != best.amount.value and not smaller and not beaten:
            rivals.setdefault(priced.amount.value, priced)
    return best, list(rivals.values())


def _is_corroborated(chosen: Priced, candidates: list[Priced], evidence: Evidence) -> bool:
    """Say whether something else on the photos confirms the amount."""
    price = chosen.amount.value
    again = {priced.piece.photo for priced in candidates if priced.amount.value == price and priced.known_cents}
    if len(again) > 1:
        return True
    former = [priced.amount.value for priced in candidates if priced.amount.role is Role.FORMER]
    saved = [priced.amount.value for priced in candidates if priced.amount.role is Role.SAVING]
    if any(before - reduction == price for before in former for reduction in saved):
        return True
    contents = [size for piece in evidence.pieces for size in sizes(piece.text)]
    units = [priced.amount for priced in candidates if priced.amount.role is Role.UNIT and priced is not chosen]
    if any(_is_unit_price(unit, price, size.total) for unit in units for size in contents):
        return True
    return any(
        embedded.fact == "price" and embedded.value == price
        for scan in evidence.scans
        for embedded in scan.code.embedded
    )


def _is_unit_price(unit: Amount, price: Decimal, total: tuple[Decimal, str]) -> bool:
    many, base = _PER.get(unit.per or "", (0, ""))
    amount, of = total
    if not many or base != of:
        return False
    return abs(price * many / amount - unit.value) < _CENTS or abs(unit.value * amount / many - price) < _CENTS


def _is_smaller_than_unread(chosen: Priced, candidates: list[Priced], evidence: Evidence) -> bool:
    """Say whether the photo has larger digits that no rule understands, which may be the price."""
    understood = {priced.piece.box for priced in candidates}
    return any(
        re.search(r"\d", piece.text)
        and piece.tall > chosen.piece.tall * _LARGER
        and piece.box not in understood
        and not sizes(piece.text)
        for piece in evidence.of_photo(chosen.piece.photo)
    )


def _confidence(chosen: Priced, shop_currency: str, *, corroborated: bool) -> tuple[float, DoubtKind | None]:
    amount, read = chosen.amount, chosen.piece.confidence
    if amount.role is Role.SEVERAL:
        return _AMBIGUOUS, DoubtKind.FOR_SEVERAL
    if corroborated:
        return _CORROBORATED, None
    if amount.raised and _turned_over(amount.value) is not None:
        return _UNPOINTED, DoubtKind.CENTS
    if not chosen.known_cents:
        return _UNPOINTED, DoubtKind.CENTS
    limit = _SURE if amount.signed else _UNSIGNED
    confidence = limit if read >= _WELL_READ else min(limit, read)
    if amount.unpointed and (amount.currency or shop_currency) not in _WHOLE_MONEY:
        confidence = min(confidence, _UNSIGNED)  # cents that stand apart are easily lost, also in two readings
    if amount.value.as_tuple().exponent == -1:  # "$44.0": a digit may be lost
        confidence = min(confidence, _UNPOINTED)
    return confidence, None


def _turned_over(price: Decimal) -> Decimal | None:
    """Return the price whose small cents were read upside down: 90 is printed far more often than 06."""
    whole, _, cents = str(price).partition(".")
    turned = cents[::-1].translate(str.maketrans("69", "96"))
    return Decimal(f"{whole}.{turned}") if cents in {"06", "66", "86", "09"} else None


def _currency(chosen: Priced, candidates: list[Priced], evidence: Evidence, price: Field) -> Field:
    named = chosen.amount.currency or next(
        (priced.amount.currency for priced in candidates if priced.amount.currency), None
    )
    if named:
        return Field(named, _SURE, price.photo, price.box)
    fits = chosen.amount.signed and evidence.shop_currency in _DOLLARS
    return Field(evidence.shop_currency, min(_SURE, price.confidence) if fits else _UNSIGNED)


def _field(priced: Priced) -> Field:
    return Field(str(priced.amount.value), _AMBIGUOUS, priced.piece.photo, priced.piece.box)


def _details(chosen: Priced, candidates: list[Priced]) -> dict[str, str]:
    names = {Role.FORMER: "former_price", Role.SAVING: "saving", Role.UNIT: "unit_price", Role.SEVERAL: "offer"}
    details: dict[str, str] = {}
    for priced in candidates:
        amount = priced.amount
        name = names.get(amount.role)
        if name and priced is not chosen:
            per = f" / {amount.per}" if amount.per else f" / {amount.pieces}" if amount.pieces > 1 else ""
            details.setdefault(name, f"{amount.value}{per}")
    if chosen.amount.per:
        details["price_per"] = chosen.amount.per
    if chosen.amount.pieces > 1:
        details["price_for"] = str(chosen.amount.pieces)
    return details

"""Interprets decoded codes: numbers of products, books or the shop itself, and GS1 facts about a piece."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from pipelines.barcodes import is_gtin
from pipelines.product.gs1_prefixes import country_of

# Because biip 5 refuses a whole element string for one wrong date or unknown identifier, we read elements ourselves. A
# wrong element is left out. biip also reads the scales of some European countries only and takes no `gtin` in links.
# Its import adds 0.13 s to the start of every process.


@dataclass(frozen=True, slots=True)
class ProductCode:
    """Meaning of a code: `value` as it was decoded; `gtin` with 14 digits, None if it names no product.

    `kind`: gtin, book, periodical, coupon, internal (a number the shop made itself), text. `facts` by names such as
    country, expires, lot, weight_kg, price, isbn. `embedded`: readings of the digits an internal code carries, of which
    the label must confirm one.
    """

    value: str
    kind: str
    gtin: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    embedded: tuple[EmbeddedValue, ...] = ()


class EmbeddedValue(NamedTuple):
    """A value that an internal code may contain: `fact` is weight_kg or price."""

    fact: str
    value: Decimal
    item: str


class Layout(NamedTuple):
    """Positions of the item and of a weight or price in an internal EAN-13, counted from 0."""

    prefixes: tuple[str, ...]
    item: slice
    digits: slice
    fact: str
    decimals: int
    reason: str


LAYOUTS = (
    Layout(("20", "21", "22", "23", "24", "25", "26", "27", "28", "29"), slice(2, 7), slice(7, 12), "weight_kg", 3,
           "scales print grams: five digits of item, five of weight"),
    Layout(("20", "21", "22", "23", "24", "25", "26", "27", "28", "29"), slice(2, 7), slice(7, 12), "price", 2,
           "scales that print the amount to pay: five digits of item, five of price"),
    Layout(("20", "21", "22", "23", "24", "25", "26", "27", "28", "29"), slice(2, 6), slice(7, 12), "price", 2,
           "four digits of item and a check digit of the price before it"),
    Layout(("02",), slice(2, 7), slice(8, 12), "price", 2,
           "UPC-A with a leading 2 (North America): item, a check digit of the price, four digits of price"),
)  # fmt: skip
"""Each shop chooses its own layout (GS1 General Specifications 2.1.11: restricted circulation). A reading counts only
if the printed label shows the same weight or price."""


def code_of(value: str, *, may_be_gtin: bool = True) -> ProductCode:
    """Interpret a decoded code; in some kinds of bars, plain digits name no product."""
    for read in READERS:
        code = read(value) if may_be_gtin or read is not _number else None
        if code is not None:
            return code
    return ProductCode(value, "text")


def same_product(code: str, other: str) -> bool:
    """Say whether two numbers name one product: a UPC-A is an EAN-13 and an ITF-14 with zeros in front."""
    return code.zfill(14) == other.zfill(14) if code.isdecimal() and other.isdecimal() else code == other


def _number(value: str) -> ProductCode | None:
    """EAN-13, EAN-8, UPC-A, ITF-14."""
    if not is_gtin(value):
        return None
    if len(value) == 8:  # noqa: PLR2004 -- EAN-8, of which 0 and 2 in front are the shop's own
        return ProductCode(value, "internal") if value[0] in "02" else ProductCode(value, "gtin", value.zfill(14))
    gtin = value.zfill(14)
    ean = gtin[1:]
    if gtin[0] == "0":
        for prefixes, kind, name in (
            (("978", "979"), "book", "isbn"),
            (("977",), "periodical", "issn"),
            (("98", "99", "05"), "coupon", ""),
        ):
            if ean.startswith(prefixes):
                facts = {name: ean if name == "isbn" else _issn(ean)} if name else {}
                return ProductCode(value, kind, gtin if name else None, facts)
        if ean[0] == "2" or ean.startswith(("02", "04")):
            return ProductCode(value, "internal", None, embedded=tuple(_embedded(ean)))
    country = country_of(ean)
    # The packaging level of an ITF-14 marks a case of several pieces.
    facts = ({"country": country} if country else {}) | ({"case": gtin[0]} if gtin[0] != "0" else {})
    return ProductCode(value, "gtin", gtin, facts)


def _embedded(ean: str) -> list[EmbeddedValue]:
    return [
        EmbeddedValue(layout.fact, Decimal(ean[layout.digits]).scaleb(-layout.decimals), ean[layout.item])
        for layout in LAYOUTS
        if ean.startswith(layout.prefixes) and int(ean[layout.digits])
    ]


def _issn(ean: str) -> str:
    """ISO 3297: seven digits of the EAN and a check digit modulo 11."""
    weighted = sum(int(digit) * weight for digit, weight in zip(ean[3:10], range(8, 1, -1), strict=True))
    check = -weighted % 11
    return f"{ean[3:7]}-{ean[7:10]}{'X' if check == 10 else check}"  # noqa: PLR2004 -- X is the tenth


def _link(value: str) -> ProductCode | None:
    """GS1 Digital Link: https://id.gs1.org/01/09506000134352/10/ABC?17=261231."""
    if not re.match(r"https?://", value, re.IGNORECASE):
        return None
    try:
        address = urlsplit(value)
    except ValueError:
        return None
    parts = [unquote(part) for part in address.path.split("/") if part]
    starts = [place for place, part in enumerate(parts[:-1]) if part in {"01", "gtin"}]
    if not starts:
        return ProductCode(value, "text", facts={"link": value})
    path = parts[starts[0] :]
    pairs = [*zip(path[::2], path[1::2], strict=False), *parse_qsl(address.query)]
    code = _elements(value, [("01" if name == "gtin" else name, content) for name, content in pairs])
    return code and replace(code, facts=code.facts | {"link": value})


def _gs1(value: str) -> ProductCode | None:
    """GS1 element strings in the decoder's notation: (01)09506000134352(17)261231(10)AB12."""
    pairs = re.findall(r"\((\d{2,4})\)([^()]*)", value)
    if not pairs or "".join(f"({name}){content}" for name, content in pairs) != value:
        return None
    return _elements(value, pairs)


def _elements(value: str, pairs: list[tuple[str, str]]) -> ProductCode | None:
    gtin = next((content.zfill(14) for name, content in pairs if name in {"01", "02"}), None)
    if gtin is None or not is_gtin(gtin):
        return None
    facts: dict[str, str] = {}
    for name, content in pairs:
        for pattern, fact, read in IDENTIFIERS:
            if re.fullmatch(pattern, name):
                fact_value = read(content, name[-1])
                facts |= {fact: fact_value} if fact_value else {}
    whole = _number(gtin[1:] if gtin[0] == "0" else gtin)
    return ProductCode(value, whole.kind if whole else "gtin", gtin, (whole.facts if whole else {}) | facts)


def _text(content: str, _place: str) -> str | None:
    return content or None


def _day(content: str, _place: str) -> str | None:
    """YYMMDD; day 00 is the last of the month, and the century is the nearest (GS1 General Specifications 7.12)."""
    if not re.fullmatch(r"\d{6}", content):
        return None
    year, month, day = (int(content[place : place + 2]) for place in (0, 2, 4))
    year += 2000 if year <= 79 else 1900  # noqa: PLR2004 -- as far ahead as 2079
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1]).isoformat()
    except (ValueError, calendar.IllegalMonthError):
        return None


def _decimal(content: str, place: str) -> str | None:
    return str(Decimal(content).scaleb(-int(place))) if content.isdecimal() and content.isascii() else None


def _priced(content: str, place: str) -> str | None:
    """An ISO 4217 number, then the amount."""
    amount = _decimal(content[3:], place)
    currency = {"484": "MXN", "840": "USD", "978": "EUR", "170": "COP", "604": "PEN", "152": "CLP", "032": "ARS"}
    return f"{amount} {currency.get(content[:3], content[:3])}" if amount else None


IDENTIFIERS: tuple[tuple[str, str, Callable[[str, str], str | None]], ...] = (
    ("10", "lot", _text),
    ("11", "made", _day),
    ("15", "best_before", _day),
    ("16", "sell_by", _day),
    ("17", "expires", _day),
    ("21", "serial", _text),
    ("30|37", "count", _text),
    (r"310\d", "weight_kg", _decimal),
    (r"315\d", "volume_l", _decimal),
    (r"320\d", "weight_lb", _decimal),
    (r"392\d", "price", _decimal),
    (r"393\d", "price", _priced),
    ("422", "origin", _text),
)
"""GS1 application identifiers that matter to a shop: pattern, our name, and reader of the content. The last digit of an
identifier with four is the number of decimals."""

READERS: tuple[Callable[[str], ProductCode | None], ...] = (_gs1, _link, _number)
"""Kinds of codes, tried in turn; a new kind is one function and its row here."""

"""Meta's prices of messages by country and category, from an operator's file, because no call of Meta tells them."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from bot.settings.complaints import refusal

_COLUMNS = ("country", "category", "usd")
_LARGEST, _MOST_ROWS = 1024 * 1024, 10_000
# A country as a BSUID names it, the beginning of phone numbers, or all others.
_COUNTRY = re.compile(r"[A-Z]{2}|[1-9]\d{0,6}|\*")
_DEAREST = Decimal(1000)
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class MessagePrices:
    """USD of a message; `countries` are names such as MX and beginnings of phone numbers such as 52."""

    table: dict[tuple[str, str], Decimal]

    def country_of(self, phone: str | None, bsuid: str | None) -> str:
        """The name under which a recipient is counted: the BSUID's country, else what the table knows of the phone."""
        if bsuid and re.fullmatch(r"[A-Z]{2}", named := bsuid.partition(".")[0]):
            return named
        known = {country for country, _ in self.table}
        beginnings = ((phone or "")[:length] for length in range(7, 0, -1))
        return next((beginning for beginning in beginnings if beginning in known), EVERYWHERE)

    def of(self, country: str, phone: str | None, category: str) -> Decimal | None:
        """The price of a message there, by its country, its phone's beginning, or for all others; None if unknown."""
        beginnings = [(phone or "")[:length] for length in range(min(len(phone or ""), 7), 0, -1)]
        for name in (country, *beginnings, EVERYWHERE):
            if (price := self.table.get((name, category))) is not None:
                return price
        return None


def read_prices(path: Path | None) -> MessagePrices:
    """Read a file of prices; none without a path. Raises ValueError with the line that is wrong."""
    if path is None:
        return MessagePrices({})
    try:
        if path.stat().st_size > _LARGEST:
            raise refusal("large_file", most=_LARGEST)
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise refusal("unreadable_text") from error
        raise refusal("unreadable", why=error.strerror or type(error).__name__) from error
    rows = csv.DictReader(text.splitlines())
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise refusal("other_columns", columns=",".join(_COLUMNS))
    table = {}
    for number, row in enumerate(rows, 2):
        if number > _MOST_ROWS:
            raise refusal("many_lines", most=_MOST_ROWS)
        country, category, usd = ((row[name] or "").strip() for name in _COLUMNS)
        if not _COUNTRY.fullmatch(country):
            raise refusal("no_country", line=number, value=country[:40])
        table[country, category.lower()] = _price(usd, number)
    return MessagePrices(table)


def _price(written: str, number: int) -> Decimal:
    try:
        price = Decimal(written)
    except InvalidOperation:
        price = Decimal(-1)
    if not 0 <= price < _DEAREST:
        raise refusal("no_price", line=number, value=written[:40])
    return price


def readable_prices(path: Path | None) -> Path | None:
    """The path of a file whose prices can be read."""
    read_prices(path)
    return path

"""Amounts and days for customers, in every currency's own decimals."""

from zoneinfo import ZoneInfo

from bot.integrations.stripe.formatting import day, decimal, iso_day, money
from tests.rows import each


@each(
    ("amount", "currency", "shown"),
    [
        (124900, "mxn", "$1,249.00 MXN"),
        (5, "usd", "$0.05 USD"),
        (-20000, "MXN", "-$200.00 MXN"),
        (0, "mxn", "$0.00 MXN"),
        (1249, "jpy", "¥1,249 JPY"),
        (500, "clp", "$500 CLP"),
        (1500, "kwd", "1.500 KWD"),
        (100, "isk", "1.00 ISK"),
        (99999999999, "eur", "€999,999,999.99 EUR"),
    ],
)
def test_an_amount_has_its_currencys_decimals(amount: int, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown


def test_a_number_alone_is_for_those_who_name_the_currency_themselves() -> None:
    assert [str(decimal(124900, code)) for code in ("mxn", "jpy", "kwd")] == ["1249.00", "124900", "124.900"]


def test_a_day_is_that_of_the_business() -> None:
    zone = ZoneInfo("America/Mexico_City")
    moment = 1_795_500_000 - 1_795_500_000 % 86400 + 3600
    assert day(moment, zone, "es") == "23 de noviembre de 2026"
    assert day(moment, zone, "en") == "November 23, 2026"
    assert iso_day(moment, zone) == "2026-11-23"

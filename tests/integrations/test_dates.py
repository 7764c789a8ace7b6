"""Dates in words, in both languages."""

from datetime import date

from bot.integrations.dates import long_date
from tests.rows import each

MONTHS = {
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "en": "January February March April May June July August September October November December",
}


@each("month", range(1, 13))
def test_a_day_is_written_with_its_month(month: int) -> None:
    day = date(2026, month, 9)
    assert long_date(day, "es") == f"9 de {MONTHS['es'].split()[month - 1]} de 2026"
    assert long_date(day, "en") == f"{MONTHS['en'].split()[month - 1]} 9, 2026"

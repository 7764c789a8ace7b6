"""Amounts and days for customers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from bot.integrations.dates import long_date
from bot.messages.language import Language

# https://docs.stripe.com/currencies#zero-decimal and #three-decimal. Stripe counts ISK and UGX in hundredths.
_WHOLE = re.compile("bif|clp|djf|gnf|jpy|kmf|krw|mga|pyg|rwf|vnd|vuv|xaf|xof|xpf")
_THOUSANDTHS = re.compile("bhd|jod|kwd|omr|tnd")
_SIGNS = {"mxn": "$", "usd": "$", "cad": "$", "cop": "$", "clp": "$", "ars": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def decimal(amount: int, currency: str) -> Decimal:
    """An amount in the currency's own unit, with its decimals: 124900 MXN is 1249.00, 500 JPY is 500."""
    return Decimal(amount).scaleb(-_places(currency))


def money(amount: int, currency: str) -> str:
    """An amount in Stripe's smallest units with its currency: `$1,249.00 MXN`, `-$5.00 USD`, `¥500 JPY`.

    Mexico writes numbers as the United States do, so that both languages share this text. Babel's es-MX doesn't fit: it
    writes `USD1,249.00`, and Colombian pesos without the hundredths that Stripe counts.
    """
    sign = "-" if amount < 0 else ""
    return f"{sign}{_SIGNS.get(currency.lower(), '')}{decimal(abs(amount), currency):,f} {currency.upper()}"


def iso_day(moment: float, zone: tzinfo) -> str:
    """A Unix time as a day for machines: `2026-11-24`."""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).date().isoformat()


def day(moment: float, zone: tzinfo, language: Language) -> str:
    """A Unix time as a day: `24 de noviembre de 2026`, `November 24, 2026`."""
    return long_date(datetime.fromtimestamp(moment, UTC).astimezone(zone).date(), language)


def _places(currency: str) -> int:
    code = currency.lower()
    return 0 if _WHOLE.fullmatch(code) else 3 if _THOUSANDTHS.fullmatch(code) else 2

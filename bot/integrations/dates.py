"""Days as customers read them."""

from __future__ import annotations

from datetime import date

from bot.messages.language import Language

_LOCALES: dict[Language, str] = {"es": "es_MX", "en": "en_US"}


def long_date(day: date, language: Language) -> str:
    """A day in words: `24 de noviembre de 2026`, `November 24, 2026`."""
    from babel.dates import format_date  # noqa: PLC0415 - 60 ms, and `recado serve` writes no dates

    return format_date(day, "long", locale=_LOCALES[language])

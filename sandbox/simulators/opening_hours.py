"""Opening hours as a short text: equal days in a row are one line."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from bot.messages.language import Language

_DAYS: dict[str, dict[Language, str]] = {
    "monday": {"es": "Lunes", "en": "Monday"},
    "tuesday": {"es": "Martes", "en": "Tuesday"},
    "wednesday": {"es": "Miércoles", "en": "Wednesday"},
    "thursday": {"es": "Jueves", "en": "Thursday"},
    "friday": {"es": "Viernes", "en": "Friday"},
    "saturday": {"es": "Sábado", "en": "Saturday"},
    "sunday": {"es": "Domingo", "en": "Sunday"},
}
_SAY: dict[str, dict[Language, str]] = {
    "open": {"es": "Ahora está *abierto*.", "en": "It is *open* now."},
    "closed": {"es": "Ahora está *cerrado*.", "en": "It is *closed* now."},
    "no_hours": {"es": "cerrado", "en": "closed"},
    "to": {"es": "{first} a {last}", "en": "{first} to {last}"},
}


def described(facts: dict[str, Any], language: Language) -> str:
    """Whether it is open, and the hours of all days; `facts` are those of the tool business_hours."""
    state = _SAY["open" if facts["open_now"] else "closed"][language]
    return "\n".join([state, *(f"- {line}" for line in _lines(facts["hours"], language))])


def _lines(hours: dict[str, Any], language: Language) -> list[str]:
    lines = []
    for shown, group in groupby((day for day in _DAYS if day in hours), lambda day: hours[day]):
        days = [_DAYS[day][language] for day in group]
        last = days[-1].lower() if language == "es" else days[-1]
        name = days[0] if len(days) == 1 else _SAY["to"][language].format(first=days[0], last=last)
        lines.append(f"{name}: {', '.join(shown) if isinstance(shown, list) else _SAY['no_hours'][language]}")
    return lines

"""Variables that the service gives to prompts, and sample values for the check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Files that the service itself needs for a reply.
REQUIRED = ("assistant.md", "summary.md", "_business.md")
LANGUAGES = ("es", "en")

_LONG = 'áé {{ summary }} <b> "x" \n'
# A known customer, an unknown one, and one with the longest and oddest values.
SAMPLES: tuple[Mapping[str, Any], ...] = (
    {
        "business": {"name": "Recado"},
        "customer_name": "Ana",
        "language": "es",
        "now": "2026-11-24 10:00 (Tuesday)",
        "summary": "…",
    },
    {
        "business": {"name": ""},
        "customer_name": "",
        "language": "en",
        "now": "2026-11-24 10:00 (Tuesday)",
        "summary": "",
    },
    {
        "business": {"name": "system:"},
        "customer_name": _LONG,
        "language": "en",
        "now": "2026-11-24 10:00 (Tuesday)",
        "summary": _LONG * 600,
    },
)
_ALL = tuple(SAMPLES[0])
# Because these files are rendered outside a turn too, they get fewer values.
_KNOWN_TO = {"summary.md": ("business", "summary"), "_business.md": ("business",)}


def known_to(name: str) -> tuple[str, ...]:
    """Values that a file of this name may use."""
    return _KNOWN_TO.get(name, _ALL)


def fields_of(value: str) -> tuple[str, ...]:
    """Fields of a value; none for a text."""
    sample = SAMPLES[0].get(value)
    return tuple(sample) if isinstance(sample, Mapping) else ()

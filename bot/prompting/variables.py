"""What the service hands to a prompt: which values, and samples that stand in for them when a prompt is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Asked for by the service itself: without them nobody can be answered.
REQUIRED = ("assistant.md", "summary.md", "_business.md")
LANGUAGES = ("es", "en")

_LONG = 'áé {{ summary }} <b> "x" \n'
# Somebody well known, somebody of whom nothing is known, and somebody who writes as much, and as oddly, as can be.
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
# These are rendered off a turn too, where nobody is spoken to.
_KNOWN_TO = {"summary.md": ("business", "summary"), "_business.md": ("business",)}


def known_to(name: str) -> tuple[str, ...]:
    """The values that a file of this name may ask for."""
    return _KNOWN_TO.get(name, _ALL)


def fields_of(value: str) -> tuple[str, ...]:
    """The fields of a value; none for a text."""
    sample = SAMPLES[0].get(value)
    return tuple(sample) if isinstance(sample, Mapping) else ()

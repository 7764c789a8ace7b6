"""Reading JSON that may hold anything anywhere: a value of the wanted kind, or nothing."""

from __future__ import annotations

import math
from typing import Any

from pipelines.truncation import LONGEST_ID, truncated


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """A non-empty string (a number counts, ids are sometimes sent bare), fit to be stored as UTF-8 and scanned."""
    if isinstance(value, str) and value.isascii():
        return truncated(value) or None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    # JSON can hold half of a surrogate pair, which no encoder will take back.
    return truncated(str(value)).encode("utf-8", "replace").decode() or None


def identifier(value: Any) -> str | None:
    """A name that Meta gave something; what is too long for one names nothing, since cut it could name another."""
    name = text(value)
    return name if name is not None and len(name) <= LONGEST_ID else None


def digits(value: Any, *allowed: str) -> str | None:
    """A phone number as WhatsApp writes it: digits only, at most 20."""
    string = text(value) or ""
    if string.isdigit() and string.isascii() and len(string) <= 20:  # noqa: PLR2004 - the common case first
        return string
    for sign in ("+", " ", *allowed):
        string = string.replace(sign, "")
    return string if string.isascii() and string.isdigit() and len(string) <= 20 else None  # noqa: PLR2004


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None

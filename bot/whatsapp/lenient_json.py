"""Lenient readers of untrusted JSON: each gives a value of the wanted kind, or nothing."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from pipelines.truncation import LONGEST_ID, truncated

_LONGEST_DISPLAY = 64
_LARGEST_CODE = 2**31 - 1


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


def own_number(value: Any) -> str | None:
    """The digits of the business's number, which Meta writes for people to read: `+1 (555) 078-3881`.

    Mexico's old 1 comes and goes in it. None if it holds no number, which is nobody's.
    """
    return _own_number((text(value) or "")[:_LONGEST_DISPLAY])


@lru_cache(maxsize=16)
def _own_number(written: str) -> str | None:
    # Kept, because a business has one number or a few, and every notification names one.
    found = "".join(sign for sign in written if sign.isascii() and sign.isdigit())
    return without_old_one(found) if found else None


def without_old_one(phone: str) -> str:
    """Mexico's numbers with and without the 1 that WhatsApp used to write after 52 are the same ones."""
    return f"52{phone[3:]}" if phone.startswith("521") and len(phone) == 13 else phone  # noqa: PLR2004 - 52 1, ten digits


def code(value: Any) -> int | None:
    """Meta's number of an error; what no database takes as one is none."""
    found = number(value)
    return int(found) if found is not None and abs(found) <= _LARGEST_CODE else None


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None

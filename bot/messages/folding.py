"""Texts folded for comparisons, because people leave capitals and accents out."""

from __future__ import annotations

from unicodedata import combining, normalize


def folded(text: str) -> str:
    """A text in small letters without accents, and without the tilde of ñ."""
    if text.isascii():
        return text.lower()
    return "".join(sign for sign in normalize("NFKD", text.casefold()) if not combining(sign))

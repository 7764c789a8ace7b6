"""Splitting and shortening of texts to Meta's limits."""

from __future__ import annotations

import unicodedata

# Meta's limit is 4096 characters; counted in UTF-16 units, as an emoji can count double.
PART_LIMIT = 4096
_VIRAMA = 9
_JOINERS = "\u200d\ufe0e\ufe0f"
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def split(text: str, limit: int = PART_LIMIT) -> list[str]:
    """Parts within the limit, cut at the largest break that fits: paragraph, line, sentence, word, letter."""
    parts = []
    rest = text.strip()
    while _units(rest) > limit:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [part for part in (*parts, rest) if part]


def shortened(text: str, limit: int) -> str:
    """Shorten to one line within the limit, cut between visible letters, with … for the missing rest."""
    line = " ".join(text.split())
    if _units(line) <= limit:
        return line
    end = _fitting(line, limit - 1)
    while end > 1 and _inside_a_letter(line, end):
        end -= 1
    return f"{line[:end].rstrip()}…"


def fits(text: str, limit: int) -> bool:
    """True if a text keeps a limit, counted in UTF-16 units as in `split`."""
    return _units(text) <= limit


def _cut(text: str, limit: int) -> int:
    end = _fitting(text, limit)
    window = text[:end]
    for mark in ("\n\n", "\n", ". ", " "):
        position = window.rfind(mark)
        # Because a break in the first third would leave a tiny part, we take a smaller break.
        if position > end // 3:
            return position + len(mark)
    while end > 1 and _inside_a_letter(text, end):
        end -= 1
    return end


def _fitting(text: str, limit: int) -> int:
    """Number of characters that fit into this many UTF-16 units."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1  # noqa: PLR2004 - the plane that one unit can name
        if units > limit:
            return index
    return len(text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _inside_a_letter(text: str, position: int) -> bool:
    """True if a cut here would split a visible letter: an accent, an emoji or a flag."""
    after, before = text[position], text[position - 1]
    # A flag is two of these letters: an odd number of them before the cut is half a flag.
    letters = len(text[:position]) - len(text[:position].rstrip(_FLAG_LETTERS))
    return (
        (after in _FLAG_LETTERS and letters % 2 == 1)
        or unicodedata.category(after).startswith("M")
        or after in _JOINERS
        or before == "\u200d"
        # A virama binds two consonants of Indic scripts into one letter.
        or unicodedata.combining(before) == _VIRAMA
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )

"""A model's Markdown as WhatsApp draws it, and long texts in parts that lose nothing (reference 5.2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# Meta's limit is 4096 characters; counted in UTF-16 units, as an emoji can count double.
PART_LIMIT = 4096
_VIRAMA = 9
_JOINERS = "\u200d\ufe0e\ufe0f"
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))

_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$\n?", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE), lambda found: _heading(found[1])),
    (re.compile(r"!\[([^\]\n]*)\]\(([^)\s]+)[^)\n]*\)"), lambda found: _link(found[1], found[2])),
    (re.compile(r"\[([^\]\n]+)\]\(([^)\s]+)[^)\n]*\)"), lambda found: _link(found[1], found[2])),
    (re.compile(r"^([ \t]*)[*+][ \t]+", re.MULTILINE), r"\1- "),
    (re.compile(r"\*\*\*(?=\S)(.+?)(?<=\S)\*\*\*"), r"*_\1_*"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"*\1*"),
    (re.compile(r"(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)"), r"*\1*"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"~\1~"),
    (re.compile(r"^\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)+\|?[ \t]*$\n?", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*\|(.+)\|[ \t]*$", re.MULTILINE), lambda found: _row(found[1])),
    (re.compile(r"\n{3,}"), "\n\n"),
)


def whatsapp(markdown: str) -> str:
    """The same text with WhatsApp's marks: *bold* _italic_ ~strike~, lists, quotes; code is left as it is."""
    pieces = _CODE.split(markdown.replace("\r\n", "\n"))
    return "".join(piece if index % 2 else _converted(piece) for index, piece in enumerate(pieces)).strip()


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
    """One line within the limit, cut between letters as people see them, with … where something is missing."""
    line = " ".join(text.split())
    if _units(line) <= limit:
        return line
    end = _fitting(line, limit - 1)
    while end > 1 and _inside_a_letter(line, end):
        end -= 1
    return f"{line[:end].rstrip()}…"


def fits(text: str, limit: int) -> bool:
    """Whether a text keeps a limit, counted on the safe side as `split` counts it."""
    return _units(text) <= limit


def _converted(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def _heading(title: str) -> str:
    return f"*{title.replace('*', '').replace('__', '')}*"


def _link(label: str, url: str) -> str:
    return url if label in ("", url) else f"{label}: {url}"


def _row(cells: str) -> str:
    return " | ".join(cell.strip() for cell in cells.split("|"))


def _cut(text: str, limit: int) -> int:
    end = _fitting(text, limit)
    window = text[:end]
    for mark in ("\n\n", "\n", ". ", " "):
        position = window.rfind(mark)
        # A break in the first third would make a crumb of this part.
        if position > end // 3:
            return position + len(mark)
    while end > 1 and _inside_a_letter(text, end):
        end -= 1
    return end


def _fitting(text: str, limit: int) -> int:
    """How many characters fit into this many UTF-16 units."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1  # noqa: PLR2004 - the plane that one unit can name
        if units > limit:
            return index
    return len(text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _inside_a_letter(text: str, position: int) -> bool:
    """Whether a cut here would part an accent from its letter or an emoji or a flag from its other half."""
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

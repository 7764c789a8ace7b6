"""Addresses and names that formatting must not touch: each becomes one private letter while a text is parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Letters of a private plane: no parser takes them for punctuation, and hardly a text holds any.
_FIRST, _LAST = 0xF0000, 0xFFFFD
_PRIVATE = re.compile("[\U000f0000-\U000ffffd]")
_DUNDERS = "init|main|name|file|all|doc|dict|call|str|repr|version|pycache|tests|proto|dirname|filename"
_FOUND = re.compile(
    "(?P<private>[\U000f0000-\U000ffffd\x1d\x1e])"
    r"|(?P<url>(?:https?|ftp|tel|mailto):[^\s<>\[\]\"`|\\]+|(?<![\w.-])www\.[^\s<>\[\]\"`|\\]+)"
    r"|(?P<mail>(?<![\w.+%\\-])[\w.+%-]++@[\w-]++(?:\.[\w-]++)+)"
    r"|(?P<path>(?<![\w.\\-])(?:[\w-]++\.)+[a-z]{2,24}/[^\s<>\[\]\"`|\\*]*)"
    r"|(?P<folder>(?<!\w)[a-z]:\\[^\s<>\"|?*`]*|(?<![\w\\])\\\\[\w.-]+\\[^\s<>\"|?*`]*)"
    rf"|(?P<dunder>(?<![\w*])__(?:{_DUNDERS})__(?!\w))"
    r"|(?P<name>(?<![\w./\\-])(?=[\w./-]*__)[\w./-]++)",
    re.IGNORECASE,
)
# Two underscores within a path or a file's name; around words that only end in a full stop they are Markdown.
_WITHIN = re.compile(r"__[./-][^\W_]|[^\W_][./-]__")
_AFTER = "*_~.,;:!?'’”»)"
_MARK = re.compile(r"\*\*|~~")


@dataclass(slots=True)
class Verbatim:
    """The pieces of one text. `hide` puts letters in their place; `shown` and `raw` put them back."""

    pieces: list[tuple[str, str]] = field(default_factory=list)

    def hide(self, text: str) -> str:
        hidden: list[str] = []
        position = 0
        while found := _FOUND.search(text, position):
            start, end = found.start(), _end(found)
            if end is None or len(self.pieces) > _LAST - _FIRST:
                hidden.append(text[position : found.end()])
                position = found.end()
                continue
            piece = text[start:end]
            # An address in angle brackets is one without them, but in code.
            framed = (
                bool(found["url"] or found["mail"]) and text[start - 1 : start] == "<" and text[end : end + 1] == ">"
            )
            hidden.append(text[position : start - framed] + chr(_FIRST + len(self.pieces)))
            self.pieces.append((f"<{piece}>", piece) if framed else (piece, piece))
            position = end + framed
        return "".join((*hidden, text[position:]))

    def raw(self, text: str) -> str:
        """Put the pieces back as they were written."""
        return _PRIVATE.sub(lambda found: self.pieces[ord(found[0]) - _FIRST][0], text)

    def shown(self, text: str) -> str:
        return _PRIVATE.sub(lambda found: self.pieces[ord(found[0]) - _FIRST][1], text)


def _end(found: re.Match[str]) -> int | None:
    """End of a match; None if it is nothing to keep."""
    match found.lastgroup:
        case "private" | "mail" | "dunder":
            return found.end()
        case "name":
            return found.end() if _WITHIN.search(found[0]) else None
        case _:
            return found.start() + len(_address(found[0]))


def _address(text: str) -> str:
    """An address without the punctuation, and the marks of a text, that only follow it."""
    if mark := _MARK.search(text):
        text = text[: mark.start()]
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            text = text[:place]
            break
    kept = text.rstrip(_AFTER)
    # A bracket that was opened inside is a part of it.
    return (
        kept + ")"
        if depth == 0 and kept.count("(") == kept.count(")") + 1 and text[len(kept) :].startswith(")")
        else kept
    )

"""Marks within a line: a parser's tokens as WhatsApp draws them, where it draws them, and as written elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape

from markdown_it.token import Token

from bot.whatsapp.verbatim import Verbatim

BREAK = "\x1e"
"""A line's end in the source; what stands before the next line is put behind it later."""

NEW = "\x1d"
"""A line's end that the source has not: the tag `<br>` and its like."""

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(?:href|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_MARKS_OF = {"b": "*", "strong": "*", "i": "_", "em": "_", "s": "~", "del": "~", "strike": "~", "code": "`", "tt": "`"}
_DRAWN_AS = {"br": NEW, "hr": NEW, "li": f"{NEW}- ", "p": NEW, "div": NEW, "tr": NEW}
_DROPPED = frozenset({
    "abbr", "blockquote", "center", "details", "font", "h1", "h2", "h3", "h4", "h5", "h6", "ins", "kbd", "mark", "ol",
    "small", "span", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "u", "ul",
})  # fmt: skip
# Bold for the model, though no parser takes it so, because a letter follows.
_TIGHT = re.compile(r"\*\*(?=[^\s*])([^*\n]{1,200})(?<=[^\w\s*])\*\*(?=\w)")
_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_LINE = re.compile(rf"([\n{BREAK}{NEW}])")


@dataclass(slots=True)
class _Frame:
    """A mark that is open: what it holds so far, and how its opener was written."""

    kind: str
    markup: str = ""
    before: str = ""
    pieces: list[str] = field(default_factory=list)
    strong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Inline:
    """Draws the children of one inline token. `bold`: it is a heading, and stands in bold as a whole."""

    verbatim: Verbatim
    bold: bool = False
    frames: list[_Frame] = field(default_factory=lambda: [_Frame("")])

    def drawn(self, children: Sequence[Token]) -> str:
        for place, token in enumerate(children):
            following = children[place + 1] if place + 1 < len(children) else None
            self._draw(token, following)
        while len(self.frames) > 1:
            self._close("")
        text = "".join(self.frames[0].pieces)
        return _around("*", text) if self.bold and not _ends_in_address(text, self.verbatim) else text

    def _draw(self, token: Token, following: Token | None) -> None:
        match token.type:
            case "text" | "text_special":
                self._say(_written(token))
            case "softbreak" | "hardbreak":
                self._say(BREAK)
            case "code_inline":
                self._say(self.verbatim.raw(str(token.meta.get("raw", f"{token.markup}{token.content}{token.markup}"))))
            case "html_inline":
                self._tag(token.content)
            case "strong_open" | "em_open" | "s_open":
                self.frames.append(_Frame(token.tag, token.markup, self._last()))
            case "link_open":
                # An image is a link behind an exclamation mark.
                if self.frames[-1].pieces and self.frames[-1].pieces[-1].endswith("!") and token.markup != "autolink":
                    self.frames[-1].pieces[-1] = self.frames[-1].pieces[-1][:-1]
                self.frames.append(_Frame("link", str(token.attrGet("href") or "")))
            case "strong_close" | "em_close" | "s_close" | "link_close":
                self._close(following.content[:1] if following is not None and following.type == "text" else "")

    def _say(self, text: str) -> None:
        if text:
            self.frames[-1].pieces.append(text)

    def _last(self) -> str:
        """The letter before a mark; none where another mark stands there."""
        return self.frames[-1].pieces[-1][-1] if self.frames[-1].pieces else ""

    def _close(self, after: str) -> None:
        frame = self.frames.pop()
        text = "".join(frame.pieces)
        outer = self.bold or any(outer_frame.kind == "strong" for outer_frame in self.frames)
        match frame.kind:
            case "strong":
                drawn = text if outer else self._strong(frame, text, after)
                self.frames[-1].strong.append(text)
            case "em":
                drawn = _emphasis(frame, text, outer=outer)
                self.frames[-1].strong.extend(frame.strong)
            case "s":
                drawn = _around("~", text)
            case "link":
                drawn = self._link(text, frame.markup)
            case _:
                drawn = text
        self._say(drawn)

    def _strong(self, frame: _Frame, text: str, after: str) -> str:
        if frame.before.isdigit() and text[:1].isdigit():
            return f"{frame.markup}{text}{frame.markup}"
        # WhatsApp draws no mark in the middle of a word.
        if frame.before.isalnum() or after.isalnum() or _ends_in_address(text, self.verbatim):
            return text
        return _around("*", text)

    def _link(self, label: str, url: str) -> str:
        said, address = (
            _SCHEME.sub("", self.verbatim.shown(label_or_url)).strip().rstrip("/") for label_or_url in (label, url)
        )
        if not address or url.startswith("#"):
            return label
        # People read a telephone's or a mailbox's address without its scheme.
        bare = self.verbatim.shown(url).startswith(("mailto:", "tel:"))
        shown = _SCHEME.sub("", self.verbatim.shown(url)) if bare else url
        return shown if said in ("", address) else f"{label}: {shown}"

    def _tag(self, html: str) -> None:
        found = _TAG.match(html)
        name = found[2].lower() if found else ""
        opens = found is not None and not found[1]
        if name in _MARKS_OF:
            self._say(_MARKS_OF[name])
        elif name in ("a", "img"):
            self._say(_address_in(self.verbatim.shown(html)) if opens else "")
        elif name in _DRAWN_AS:
            self._say(_DRAWN_AS[name] if opens else "")
        elif name not in _DROPPED and not html.startswith("<!--"):
            self._say(html)


def _address_in(html: str) -> str:
    """Address of a tag, to be read before its words."""
    found = _ATTRIBUTE.search(html)
    address = unescape(next(filter(None, found.groups()), "")) if found else ""
    return f"{address} " if address else ""


def _written(token: Token) -> str:
    if token.type == "text_special" or "**" not in token.content:
        return token.content
    return _TIGHT.sub(r"*\1* ", token.content)


def _emphasis(frame: _Frame, text: str, *, outer: bool) -> str:
    """A mark of WhatsApp's own stays as it is written; one asterisk is italics only where bold is around or within."""
    if (
        frame.markup == "*"
        and len(frame.strong) == 1
        and text in (f"*{frame.strong[0]}*", frame.strong[0])
        and not outer
    ):
        return _around("*", _around("_", frame.strong[0]))
    if frame.markup == "_" or outer or frame.strong:
        return _around("_", text)
    return f"*{text}*"


def _around(mark: str, text: str) -> str:
    """A mark around each line: WhatsApp draws none over a line's end."""
    pieces = _LINE.split(text)
    return "".join(piece if place % 2 else _one(mark, piece) for place, piece in enumerate(pieces))


def _one(mark: str, line: str) -> str:
    inside = line.strip()
    return line.replace(inside, f"{mark}{inside}{mark}", 1) if inside else line


def _ends_in_address(text: str, verbatim: Verbatim) -> bool:
    """True if a following mark would look like a part of the link."""
    return _SCHEME.match(verbatim.shown(text.rstrip("*_~ ")[-1:])) is not None

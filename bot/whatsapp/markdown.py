"""A model's Markdown as WhatsApp draws it: *bold* _italic_ ~strike~, lists, quotes; all else stays as written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, backtick
from markdown_it.token import Token

from bot.whatsapp.inline import BREAK, NEW, Inline
from bot.whatsapp.verbatim import Verbatim

LONGEST = 12_288
"""Characters that are parsed: three of WhatsApp's longest messages. A longer text leaves as it is written."""

# No answer holds so many links: their brackets are looked at one after another, and cost most.
_MOST_LINKS = 400
_LANGUAGES = frozenset({
    "bash", "c", "cpp", "csharp", "css", "csv", "diff", "go", "html", "http", "ini", "java", "javascript", "js", "json",
    "jsx", "kotlin", "markdown", "md", "php", "plaintext", "powershell", "python", "py", "ruby", "rust", "sh", "shell",
    "sql", "swift", "text", "toml", "ts", "tsx", "txt", "typescript", "xml", "yaml", "yml",
})  # fmt: skip
# Lines that begin with a word and hold no letter that the parser knows: most answers. They are drawn as they are.
_LINE = r"[¿¡]?[^\W\d_][^*_~`\[\]<&\\\x00-\x1f\x7f-\x9f\u2028\u2029]*+(?<!\s)"
_SENTENCES = re.compile(rf"{_LINE}(?:\n\n?{_LINE})*")
_MARKER = re.compile(r"([-*+]|\d{1,9}[.)])(?=[ \t]|$)")
_FENCE = re.compile(r"(?:`{3,}|~{3,})")


class _Parser(MarkdownIt):
    """Addresses stay as they are written, whatever they are: whether one may leave is decided elsewhere."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the parser's name
        return url

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - as above
        return True


def _code(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's signature
    """The parser's own rule; code is kept as it is written, with its spaces."""
    start, tokens = state.pos, len(state.tokens)
    found = backtick(state, silent)
    if found and len(state.tokens) > tokens and state.tokens[-1].type == "code_inline":
        state.tokens[-1].meta = {"raw": state.src[start : state.pos]}
    return found


def _parser(*without: str) -> MarkdownIt:
    parser = _Parser("commonmark", {"html": True, "maxNesting": 20}).enable(["table", "strikethrough"])
    # Indented text is no code here, and a line of dashes below a paragraph makes no heading of it.
    # Definitions of links would vanish where nothing refers to them. An image is drawn as a link.
    parser.disable(["code", "html_block", "lheading", "reference", "image", *without])
    parser.inline.ruler.at("backticks", _code)
    return parser


_FULL, _WITHOUT_LINKS = _parser(), _parser("link")


def whatsapp(markdown: str) -> str:
    """The same text with WhatsApp's marks. Nothing changes in code, in addresses and in names."""
    text = markdown.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if len(text) > LONGEST:
        return text.strip()
    if _SENTENCES.fullmatch(text):
        return text
    verbatim = Verbatim()
    hidden = verbatim.hide(text)
    page = _Page(hidden.split("\n"), verbatim)
    parser = _FULL if hidden.count("[") <= _MOST_LINKS else _WITHOUT_LINKS
    page.draw(parser.parse(hidden))
    return verbatim.shown(page.text()).strip()


@dataclass(slots=True)
class _Page:
    """A text by its lines: each is drawn by the block that it belongs to, or stays as it is."""

    lines: list[str]
    verbatim: Verbatim
    drawn: list[str | None] = field(default_factory=list)
    code: set[int] = field(default_factory=set)
    quotes: int = 0
    plus: str = "-"
    items: list[Token] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)

    def draw(self, tokens: list[Token]) -> None:
        self.drawn = [line.rstrip() for line in self.lines]
        for place, token in enumerate(tokens):
            start, end = token.map or (0, 0)
            match token.type:
                case "hr":
                    self.drawn[start] = None
                case "fence":
                    self._fence(token, start, end)
                case "inline":
                    self._inline(token, tokens[place - 1].type)
                case _:
                    self._heed(token, start)

    def _heed(self, token: Token, start: int) -> None:
        """Note what the lines that follow stand in."""
        match token.type:
            case "blockquote_open" | "blockquote_close":
                self.quotes += token.nesting
            case "bullet_list_open" if token.level == 0:
                before = self.lines[start - 1].strip() if start else ""
                # "+ IVA" below a price adds to it, and begins no list.
                self.plus = "+" if before and not before.endswith(":") else "-"
            case "list_item_open":
                self.items.append(token)
            case "list_item_close":
                # An item without words has drawn nothing.
                self.items = self.items[:-1]
            case "table_open":
                self.drawn[start + 1] = None
            case "tr_close":
                self.cells = []

    def _inline(self, token: Token, around: str) -> None:
        start, end = token.map or (0, 0)
        text = Inline(self.verbatim, bold=around == "heading_open").drawn(token.children or [])
        if around in ("th_open", "td_open"):
            self.cells.append(text)
            self.drawn[start] = " | ".join(self.cells)
        elif token.content.strip():
            self.drawn[start] = self._placed(text, start)
            self.drawn[start + 1 : end] = [None] * (end - start - 1)
        self.items = []

    def _placed(self, text: str, start: int) -> str:
        """A block's lines, each behind what the source has before it: its indent, its marks of quotes and lists."""
        placed, number, items = [], start, self.items
        for line in text.split(BREAK):
            prefix = self._prefix(number, items) if number < len(self.lines) else ""
            placed.append(f"{prefix}{line.strip()}")
            number, items = number + 1 + line.count("\n"), []
        return "\n".join(line.rstrip() for line in placed).replace(NEW, "\n")

    def _prefix(self, number: int, items: list[Token]) -> str:
        line, waiting, position, prefix = self.lines[number], list(items), 0, ""
        quotes = self.quotes
        while position < len(line):
            letter = line[position]
            marker = _MARKER.match(line, position) if waiting else None
            if letter in " \t":
                prefix, position = prefix + letter, position + 1
            elif letter == ">" and quotes:
                prefix, position, quotes = prefix + letter, position + 1, quotes - 1
            elif marker:
                prefix, position = prefix + {"*": "-", "+": self.plus}.get(marker[1], marker[1]), marker.end()
                waiting.pop(0)
            else:
                break
        return prefix

    def _fence(self, token: Token, start: int, end: int) -> None:
        """Code as it is; WhatsApp knows no other fence than three backticks, and no name of a language behind them."""
        end = min(end, len(self.lines))
        closed = end - 1 > start and _FENCE.fullmatch(self.lines[end - 1].strip(" \t>")) is not None
        mark = "```" if "~" in token.markup else token.markup
        info = "" if closed and token.info.strip().lower() in _LANGUAGES else self.verbatim.raw(token.info)
        for number in range(start, end):
            self.drawn[number] = self.verbatim.raw(self.lines[number])
            self.code.add(number)
        self.drawn[start] = f"{self._prefix(start, self.items)}{mark}{info}"
        if closed:
            self.drawn[end - 1] = self.lines[end - 1].replace(token.markup, mark)
        self.items = []

    def text(self) -> str:
        """Join lines, with one empty line in place of several, which a removed line may leave."""
        kept: list[str] = []
        for number, line in enumerate(self.drawn):
            if line is None or (not line and kept and not kept[-1] and number not in self.code):
                continue
            kept.append(line)
        return "\n".join(kept)

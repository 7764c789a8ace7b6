"""Reads HTML: headings, paragraphs, lists and tables, without scripts, navigation and what is hidden."""

import re
from collections.abc import Iterator
from typing import Any

from pipelines.blocks.block import Block, BlockCollector, BlockLimits, Blocks
from pipelines.blocks.table import one_line, row_blocks
from pipelines.characters import cleaned, decoded
from pipelines.errors import FileProblem, FileRefused

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_SKIPPED = frozenset(
    {"script", "style", "noscript", "template", "nav", "head", "svg", "iframe", "object", "form", "button", "select"}
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAK = "\n"
_INLINE = frozenset(
    {"a", "br", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "kbd", "label", "mark", "q", "s"}
    | {"samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "del", "ins", "wbr"}
)


def read_html(content: bytes, limits: BlockLimits) -> Blocks:
    """Run in a separate process, because the parser is a C library and the page may be hostile."""
    from lxml import html  # noqa: PLC0415 - only in the process of its own
    from lxml.etree import LxmlError  # noqa: PLC0415 - as above

    try:
        page = html.document_fromstring(_DECLARATION.sub("", _text(content)))
    except (LxmlError, ValueError) as error:
        raise FileRefused(FileProblem.EMPTY, "no text in it") from error
    collector = BlockCollector(limits.characters)
    rows = _RowCount(limits.rows)
    for block in _blocks(page, rows):
        if not collector.add(block):
            break
    return Blocks(tuple(collector.blocks), cut=collector.cut or rows.cut)


def _text(content: bytes) -> str:
    found = _CHARSET.search(content[:4096])
    if found and not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return content.decode(found[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return decoded(content)


class _RowCount:
    def __init__(self, most: int) -> None:
        self._left = most
        self.cut: str | None = None

    def more(self) -> bool:
        self._left -= 1
        if self._left < 0:
            self.cut = "rows beyond the limit"
        return self._left >= 0


class _Walk:
    """State of the walk: the headings above, and the words of the paragraph under way."""

    def __init__(self) -> None:
        self.path: list[tuple[int, str]] = []
        self._words: list[str] = []

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(title for _, title in self.path)

    def say(self, words: str | None) -> None:
        if words:
            self._words.append(" ".join(words.splitlines()) if words != _BREAK else words)

    def paragraph(self) -> Iterator[Block]:
        lines = (" ".join(line.split()) for line in cleaned("".join(self._words)).split(_BREAK))
        text = "\n".join(line for line in lines if line)
        self._words = []
        if text:
            yield Block(text, self.headings)


def _blocks(page: Any, rows: _RowCount) -> Iterator[Block]:
    walk = _Walk()
    title = page.findtext(".//title")
    if title and title.strip():
        walk.path = [(0, one_line(title))]
    body = page.find("body")
    # A stack of our own, because a page may nest deeper than Python's.
    stack: list[tuple[str, Any]] = [("open", page if body is None else body)]
    while stack:
        step, node = stack.pop()
        if step == "close":
            if node.tag not in _INLINE:
                yield from walk.paragraph()
            if node.tag == "a" and (address := node.get("href", "")).startswith(("http://", "https://")):
                walk.say(f" ({address[:500]})" if address not in "".join(node.itertext()) else "")
            walk.say(node.tail)
            continue
        if _is_skipped(node):
            walk.say(node.tail)
            continue
        if node.tag in _HEADINGS or node.tag == "table":
            yield from walk.paragraph()
            yield from _whole(node, walk, rows)
            walk.say(node.tail)
            continue
        if node.tag not in _INLINE:
            yield from walk.paragraph()
        walk.say(_BREAK if node.tag == "br" else "- " if node.tag == "li" else "")
        walk.say(node.text)
        stack.append(("close", node))
        stack.extend(("open", child) for child in reversed(node))
    yield from walk.paragraph()


def _whole(node: Any, walk: _Walk, rows: _RowCount) -> Iterator[Block]:
    """A heading or a table, read as one."""
    if node.tag == "table":
        cells = (
            (number, [one_line(cleaned(" ".join(cell.itertext()))) for cell in row.iter("td", "th")])
            for number, row in enumerate(node.iter("tr"), 1)
            if rows.more()
        )
        yield from row_blocks(cells, headings=walk.headings)
        return
    level, title = _HEADINGS[node.tag], one_line(cleaned(" ".join(node.itertext())))
    if title:
        walk.path = [*(above for above in walk.path if above[0] < level), (level, title)]


def _is_skipped(node: Any) -> bool:
    if not isinstance(node.tag, str) or node.tag in _SKIPPED:
        return True
    style = node.get("style", "").replace(" ", "").lower()
    return node.get("hidden") is not None or "display:none" in style or node.get("aria-hidden") == "true"

"""Reads Markdown and plain text line by line: headings, tables, paragraphs."""

import re
from collections.abc import Iterator, Sequence

from pipelines.blocks.block import Block, BlockCollector, Blocks
from pipelines.blocks.table import one_line, row_blocks

_HEADING = re.compile(r"\s{0,3}(#{1,6})\s++(\S.*)")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-{3,})\s*")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
# Possessive, because a link that isn't closed would be tried at each of its signs.
_LINK = re.compile(r"!?\[([^\[\]]{0,300}+)\]\(\s*+<?([^()\s<>]{1,500}+)>?[^()]{0,200}+\)")
_MARKS = re.compile(r"(?<!\w)(\*\*|__|~~)(?=\S)([^*_~\n]{1,500}+)\1(?!\w)")
_LONGEST_TITLE = 70
_FEWEST_LETTERS = 4


def read_markdown(text: str, *, characters: int, first_line: int = 1) -> Blocks:
    """Read Markdown; `first_line` is the number of the text's first line in its file."""
    collector = BlockCollector(characters)
    for block in _markdown_blocks(_without_comments(text).split("\n"), first_line):
        if not collector.add(block):
            break
    return Blocks(tuple(collector.blocks), cut=collector.cut)


def _without_comments(text: str) -> str:
    kept, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join(kept) + text[at:]


def read_plain(text: str, *, characters: int) -> Blocks:
    """Read text; a short line in capitals, or one that is underlined, is a heading."""
    collector = BlockCollector(characters)
    headings: tuple[str, ...] = ()
    for paragraph in _paragraphs(text.split("\n")):
        lines = paragraph.split("\n")
        if _is_title(lines[0]) or (len(lines) > 1 and _UNDERLINE.fullmatch(lines[1])):
            headings = (lines[0].strip().rstrip(":"),)
            lines = lines[2 if len(lines) > 1 and _UNDERLINE.fullmatch(lines[1]) else 1 :]
        if lines and not collector.add(Block("\n".join(lines), headings)):
            break
    return Blocks(tuple(collector.blocks), cut=collector.cut)


def plain_words(text: str) -> str:
    """Markdown's words without its marks; a link becomes `words (address)`."""
    return _MARKS.sub(r"\2", _LINK.sub(_link, text))


def _link(found: re.Match[str]) -> str:
    words, address = found[1].strip(), found[2]
    if not address.startswith(("http://", "https://", "mailto:", "tel:")):
        return words
    return words if words == address else f"{words} ({address})".strip()


def _markdown_blocks(lines: Sequence[str], first_line: int) -> Iterator[Block]:
    path: list[tuple[int, str]] = []
    pending: list[str] = []
    fenced = False
    at = 0
    while at < len(lines):
        line = lines[at]
        headings = tuple(title for _, title in path)
        if _FENCE.match(line):
            fenced = not fenced
            at += 1
            continue
        heading = None if fenced else _heading(lines, at)
        table = 0 if fenced or heading else _table_length(lines, at)
        if (heading or table or not line.strip()) and pending:
            yield Block(plain_words("\n".join(pending)), headings)
            pending = []
        if heading:
            level, title, length = heading
            path = [*((before, above) for before, above in path if before < level), (level, plain_words(title))]
            at += length
        elif table:
            rows = ((first_line + at + offset, _cells(lines[at + offset])) for offset in range(table) if offset != 1)
            yield from row_blocks(rows, headings=headings)
            at += table
        else:
            if line.strip():
                pending.append(line.rstrip())
            at += 1
    if pending:
        yield Block(plain_words("\n".join(pending)), tuple(title for _, title in path))


def _heading(lines: Sequence[str], at: int) -> tuple[int, str, int] | None:
    """Level, title and number of lines of a heading that begins here."""
    line = lines[at]
    if len(line) <= 500 and (found := _HEADING.fullmatch(line)):  # noqa: PLR2004 - no heading is longer
        title = found[2].rstrip()
        return len(found[1]), title.rstrip("#").rstrip() or title[0], 1
    under = lines[at + 1] if at + 1 < len(lines) else ""
    may_be = line.strip() and "|" not in line and not line.lstrip().startswith(("-", "*", ">"))
    if may_be and (at == 0 or not lines[at - 1].strip()) and (found := _UNDERLINE.fullmatch(under[:200])):
        return (1 if found[1][0] == "=" else 2), line.strip(), 2
    return None


def _table_length(lines: Sequence[str], at: int) -> int:
    """Number of lines of a table that begins here; 0 where there is none."""
    if "|" not in lines[at] or at + 1 >= len(lines) or not _is_rule(lines[at + 1]):
        return 0
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end - at


def _is_rule(line: str) -> bool:
    return "|" in line and set(line.strip()) <= set("|:- \t") and "--" in line


def _cells(line: str) -> list[str]:
    inside = line.strip().removeprefix("|").removesuffix("|").replace(r"\|", "\0")
    return [one_line(plain_words(cell.replace("\0", "|"))) for cell in inside.split("|")]


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    pending: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            pending.append(line.rstrip())
        elif pending:
            yield "\n".join(pending)
            pending = []


def _is_title(line: str) -> bool:
    letters = [letter for letter in line if letter.isalpha()]
    return (
        len(letters) >= _FEWEST_LETTERS and len(line) <= _LONGEST_TITLE and all(letter.isupper() for letter in letters)
    )

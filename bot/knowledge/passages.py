"""Cuts blocks into passages along headings; rows of a table stay whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from bot.knowledge.document import Passage
from pipelines.blocks import Block

# A passage answers one question and is short enough to be quoted to a model five times.
PASSAGE_CHARACTERS = 700
_SHORTEST = 350
# Rows of a table share a passage up to this length; in a longer one, a row would hardly be found by its own words.
_ROWS_CHARACTERS = 450
# A unit is embedded by itself, because a sentence among many says little to a vector.
_UNIT_CHARACTERS = 220
_BETWEEN = " › "
_PIECE = re.compile(r".{1,10000}\n\n|.{1,10000}\s|.{1,10000}", re.DOTALL)


def passages_of(blocks: Sequence[Block]) -> Iterator[Passage]:
    """Yield passages in the order of the document."""
    for headings, same in groupby(blocks, key=lambda block: (block.headings, block.page, block.sheet)):
        path, page, sheet = headings
        for is_table, part in groupby(same, key=lambda block: block.row is not None):
            items = list(part)
            for group in _rows(items) if is_table else _texts(items):
                yield _passage(group, path, page, sheet)


def units_of(passage: Passage) -> list[str]:
    """Pieces of a passage that are embedded, each with the heading; of an answered question, the questions alone."""
    if passage.questions:
        return list(passage.questions)
    heading, line, body = passage.text.partition("\n")
    if not line:
        return _units(passage.text)
    last = heading.rpartition(_BETWEEN)[2]
    return [f"{last}: {unit}" for unit in _units(body)]


def _units(text: str) -> list[str]:
    lines = text.split("\n")
    if any(": " in line and "; " in line for line in lines):
        return lines  # rows of a table
    return _splitter(_UNIT_CHARACTERS // 2, _UNIT_CHARACTERS).chunks(text) or [text]


def _passage(group: list[Block], path: tuple[str, ...], page: int | None, sheet: str | None) -> Passage:
    heading = _BETWEEN.join(filter(None, (*path, sheet)))
    body = "\n".join(block.text for block in group)
    first, last = group[0].row, group[-1].row
    rows = "" if first is None else f"row {first}" if first == last else f"rows {first}-{last}"
    where = ", ".join(filter(None, (f"page {page}" if page else "", heading, rows)))
    return Passage(f"{heading}\n{body}" if heading else body, where)


def _rows(items: Sequence[Block]) -> Iterator[list[Block]]:
    group: list[Block] = []
    size = 0
    for item in items:
        if group and size + len(item.text) > _ROWS_CHARACTERS:
            yield group
            group, size = [], 0
        group.append(item)
        size += len(item.text)
    if group:
        yield group


def _texts(items: Sequence[Block]) -> Iterator[list[Block]]:
    text = "\n\n".join(item.text for item in items)
    if len(text) <= PASSAGE_CHARACTERS:
        yield [Block(text)]
        return
    # We cut the text first, because the splitter takes minutes for a long text without ends of sentences.
    for piece in _PIECE.findall(text):
        for chunk in _splitter(_SHORTEST, PASSAGE_CHARACTERS).chunks(piece):
            yield [Block(chunk)]


@cache
def _splitter(shortest: int, longest: int) -> Any:
    from semantic_text_splitter import TextSplitter  # noqa: PLC0415 - for those who read documents alone

    return TextSplitter((shortest, longest))

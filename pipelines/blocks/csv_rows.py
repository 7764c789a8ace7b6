"""Reads CSV: comma, semicolon or tab, in the encodings of Excel and of Windows."""

import csv
import io
import re
from collections.abc import Iterator
from statistics import mode

from pipelines.blocks.block import BlockCollector, BlockLimits, Blocks
from pipelines.blocks.table import Row, one_line, row_blocks
from pipelines.characters import cleaned

_DELIMITERS = ",;\t|"
_LINES_JUDGED = 50
_LARGEST_FIELD = 100_000
_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


def read_csv(text: str, limits: BlockLimits) -> Blocks:
    """Read a table; rows beyond the limits are left out, and `cut` says so."""
    collector = BlockCollector(limits.characters)
    counted = _Counted(_rows(text), limits)
    for block in row_blocks(counted.rows()):
        if not collector.add(block):
            break
    return Blocks(tuple(collector.blocks), cut=collector.cut or counted.cut)


def delimiter_of(text: str) -> str:
    """The sign that divides most lines into the same number of fields, two at least."""
    lines = [line for line in text[:_LARGEST_FIELD].split("\n")[:_LINES_JUDGED] if line.strip()]

    def fitness(sign: str) -> tuple[int, int]:
        counts = [_outside_quotes(line, sign) for line in lines]
        usual = mode(counts) if counts else 0
        return (sum(count == usual for count in counts) if usual else 0, usual)

    return max(_DELIMITERS, key=fitness)


def _outside_quotes(line: str, sign: str) -> int:
    return sum(piece.count(sign) for piece in line.split('"')[::2])


def csv_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line's number and the cells of each row, empty ones too. Raises csv.Error."""
    csv.field_size_limit(_LARGEST_FIELD)
    # Excel writes this line for itself: it names the separator and is no row of data.
    told = _SEPARATOR.match(text)
    if told:
        yield 1, []
    reader = csv.reader(
        io.StringIO(text[told.end() :] if told else text, newline=""), delimiter=told[1] if told else delimiter_of(text)
    )
    for cells in reader:
        yield reader.line_num + bool(told), cells


def _rows(text: str) -> Iterator[Row]:
    for number, cells in csv_lines(cleaned(text)):
        yield number, [one_line(cell) for cell in cells]


class _Counted:
    """Rows up to the limits of rows and cells."""

    def __init__(self, rows: Iterator[Row], limits: BlockLimits) -> None:
        self._rows = rows
        self._limits = limits
        self.cut: str | None = None

    def rows(self) -> Iterator[Row]:
        seen = cells = 0
        try:
            for row in self._rows:
                seen, cells = seen + 1, cells + len(row[1])
                if seen > self._limits.rows or cells > self._limits.cells:
                    self.cut = f"row {row[0]} and what follows is beyond the limit"
                    return
                yield row
        except csv.Error as error:
            self.cut = f"behind row {seen}: {error}"

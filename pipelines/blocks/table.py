"""Rows of a table as blocks, each with the header's names."""

from collections.abc import Iterable, Iterator, Sequence

from pipelines.blocks.block import Block

_LONGEST_CELL = 2000
# A header is among the first rows; titles above it have a single cell.
_ROWS_ABOVE_A_HEADER = 10
_FEWEST_COLUMNS = 2

Row = tuple[int, Sequence[str]]


def row_blocks(
    rows: Iterable[Row], *, headings: tuple[str, ...] = (), sheet: str | None = None, page: int | None = None
) -> Iterator[Block]:
    """Yield a block for each row with text; the first row of two texts and more is the header."""
    header: Sequence[str] | None = None
    for place, (number, cells) in enumerate(rows):
        filled = [cell for cell in cells if cell]
        if not filled:
            continue
        if header is None and len(filled) >= _FEWEST_COLUMNS and place < _ROWS_ABOVE_A_HEADER:
            header = cells if _may_be_header(filled) else ()
            if header:
                continue
        text = _pairs(header, cells) if header else " | ".join(filled)
        yield Block(text, headings, page=page, sheet=sheet, row=number)


def one_line(cell: str) -> str:
    return " ".join(cell[:_LONGEST_CELL].split())


def _may_be_header(filled: Sequence[str]) -> bool:
    """Names have letters and are no amounts; most are there once."""
    names = sum(any(letter.isalpha() for letter in cell) and not cell.startswith("$") for cell in filled)
    return names * 4 >= len(filled) * 3


def _pairs(header: Sequence[str], cells: Sequence[str]) -> str:
    pairs = []
    for place, cell in enumerate(cells):
        if cell:
            name = header[place] if place < len(header) else ""
            pairs.append(f"{name}: {cell}" if name and name != cell else cell)
    return "; ".join(pairs)

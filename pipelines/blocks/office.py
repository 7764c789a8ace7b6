"""Reads Word's .docx and Excel's .xlsx, within limits that the zip's directory tells before anything is unpacked."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from pipelines.blocks.block import Block, BlockCollector, BlockLimits, Blocks
from pipelines.blocks.table import Row, one_line, row_blocks
from pipelines.characters import cleaned
from pipelines.errors import FileProblem, FileRefused

_MOST_ENTRIES = 5000
_MOST_COLUMNS = 100
_HEADING = re.compile(r"(?:heading|t[ií]tulo) (\d)", re.IGNORECASE)
_TITLE = re.compile(r"title|t[ií]tulo", re.IGNORECASE)
# Libraries raise nearly anything for a broken file.
BROKEN = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    EOFError,
    SyntaxError,
)


def read_docx(path: Path, limits: BlockLimits) -> Blocks:
    """Run in a separate process."""
    import docx  # noqa: PLC0415 - only in the process of its own
    from docx.opc.exceptions import OpcError  # noqa: PLC0415 - as above

    check_zip(path, limits)
    collector = BlockCollector(limits.characters)
    try:
        for block in _docx_blocks(docx.Document(str(path)), limits):
            if not collector.add(block):
                break
    except (*BROKEN, OpcError) as error:
        raise FileRefused(FileProblem.DAMAGED, f"not a whole .docx ({type(error).__name__})") from None
    return Blocks(tuple(collector.blocks), cut=collector.cut)


def read_xlsx(path: Path, limits: BlockLimits) -> Blocks:
    """Run in a separate process. Hidden sheets are left out; a formula counts by its stored value."""
    import openpyxl  # noqa: PLC0415 - only in the process of its own
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415 - as above

    check_zip(path, limits)
    collector = BlockCollector(limits.characters)
    rows = _SheetRows(limits)
    try:
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            for sheet in book.worksheets:
                if sheet.sheet_state == "visible":
                    title = one_line(str(sheet.title))
                    for block in row_blocks(rows.of(sheet), sheet=title):
                        if not collector.add(block):
                            break
    except (*BROKEN, InvalidFileException) as error:
        raise FileRefused(FileProblem.DAMAGED, f"not a whole .xlsx ({type(error).__name__})") from None
    return Blocks(tuple(collector.blocks), cut=collector.cut or rows.cut)


def check_zip(path: Path, limits: BlockLimits) -> None:
    """Refuse a file whose directory says that it unpacks to too much; zipfile unpacks no more than that says."""
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FileRefused(FileProblem.DAMAGED, "not a whole zip") from None
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > limits.unpacked:
        raise FileRefused(FileProblem.BOMB, "unpacks to too much")
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileRefused(FileProblem.ENCRYPTED, "a password is needed")


def _docx_blocks(document: Any, limits: BlockLimits) -> Iterator[Block]:
    path: list[tuple[int, str]] = []
    rows = 0
    for item in document.iter_inner_content():
        headings = tuple(title for _, title in path)
        if hasattr(item, "rows"):
            table = [(number, _cells_of(row)) for number, row in enumerate(_some(item.rows, limits.rows - rows), 1)]
            rows += len(table)
            yield from row_blocks(table, headings=headings)
            continue
        text = cleaned(_paragraph(item)).strip()
        if not text:
            continue
        level = _level(item)
        if level is None:
            yield Block(text, headings)
        else:
            path = [*((before, title) for before, title in path if before < level), (level, one_line(text))]


def _some(rows: Any, most: int) -> Iterator[Any]:
    for number, row in enumerate(rows):
        if number >= most:
            return
        yield row


def _paragraph(paragraph: Any) -> str:
    """Text with the addresses of links; an item of a list begins with a dash."""
    pieces = []
    for piece in paragraph.iter_inner_content():
        address = getattr(piece, "address", "")
        pieces.append(f"{piece.text} ({address})" if address and address not in piece.text else piece.text)
    is_item = paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None  # noqa: SLF001 - no public way
    return ("- " if is_item else "") + "".join(pieces)


def _level(paragraph: Any) -> int | None:
    name = str(paragraph.style.name or "") if paragraph.style is not None else ""
    if found := _HEADING.match(name):
        return int(found[1])
    return 0 if _TITLE.fullmatch(name) else None


def _cells_of(row: Any) -> list[str]:
    """Cells of a row; one that spans columns counts once."""
    seen: list[Any] = []
    cells = []
    for cell in row.cells[:_MOST_COLUMNS]:
        if any(cell._tc is merged for merged in seen):  # noqa: SLF001 - no public way
            cells.append("")
        else:
            seen.append(cell._tc)  # noqa: SLF001 - as above
            cells.append(one_line(cleaned(cell.text)))
    return cells


class _SheetRows:
    """Rows of all sheets, up to the limits of rows and cells."""

    def __init__(self, limits: BlockLimits) -> None:
        self._rows = limits.rows
        self._cells = limits.cells
        self.cut: str | None = None

    def of(self, sheet: Any) -> Iterator[Row]:
        # Because the file states its own size, which may be wrong, we count.
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS), 1):
            self._rows -= 1
            self._cells -= sum(cell.value is not None for cell in row)
            if self._rows < 0 or self._cells < 0:
                self.cut = f"sheet {sheet.title}: row {number} and what follows is beyond the limit"
                return
            yield number, [_shown(cell) for cell in row]


def _shown(cell: Any) -> str:
    """A cell's value as people see it, by its format."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "sí" if value else "no"
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format or ""))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date | time):
        return value.isoformat()
    return one_line(cleaned(str(value)))


def _number(value: float, form: str) -> str:
    if "%" in form:
        return f"{value * 100:.10g}%"
    if "$" in form:
        return f"${value:,.2f}"
    return f"{value:.12g}" if abs(value) < 1e12 else f"{value:.0f}"  # noqa: PLR2004 - codes stay whole

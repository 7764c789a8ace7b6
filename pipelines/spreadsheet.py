"""Reads the rows of a table file: CSV in any usual separator and encoding, and the first sheet of an XLSX."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pipelines.blocks.csv_rows import csv_lines
from pipelines.blocks.office import BROKEN
from pipelines.characters import decoded

Cell = str | Decimal
"""A text, or a number where the file itself has one; an empty cell is an empty text."""

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 1_048_576
MOST_COLUMNS = 200
LONGEST_CELL = 32_767
# Because a file of a few kilobytes can unpack to gigabytes, an XLSX tells its size before a part is unpacked.
_MOST_UNPACKED = 1024 * 1024 * 1024
# A cell of 32,767 letters takes 330 KB where each is written by its number.
_LONGEST_TEXT = 512 * 1024
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


class TableRefused(Exception):
    """A file that is no table, or larger than we read; `problem` names the reason, for which others have the words."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class TableRow:
    """Cells of a row; `number` counts from 1 as a spreadsheet does, empty rows included. `problem` names a fault."""

    number: int
    cells: tuple[Cell, ...]
    problem: str = ""


def table_rows(data: bytes) -> Iterator[TableRow]:
    """Yield the rows that aren't empty, in order. Raises TableRefused, also later for what is found late."""
    if len(data) > MOST_BYTES:
        raise TableRefused("large")
    if data.startswith(_OLD_EXCEL):
        raise TableRefused("old_excel")
    rows = _of_xlsx(data) if data.startswith(_ZIP) else _of_csv(_text_of(data))
    for number, cells in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise TableRefused("many_rows")
        if any(cell != "" for cell in cells):
            yield TableRow(number, cells, _problem(cells))


def _text_of(data: bytes) -> str:
    text = decoded(data)
    if "\0" in text:
        raise TableRefused("no_table")
    return text


def _problem(cells: tuple[Cell, ...]) -> str:
    if len(cells) > MOST_COLUMNS:
        return "many_columns"
    if any(isinstance(cell, str) and len(cell) > LONGEST_CELL for cell in cells):
        return "long_cell"
    return ""


def _of_csv(text: str) -> Iterator[tuple[Cell, ...]]:
    try:
        for _, row in csv_lines(text):
            yield tuple(cell.strip().replace("\0", "") for cell in row)
    except csv.Error as error:
        raise TableRefused("broken_csv") from error


def _of_xlsx(data: bytes) -> Iterator[tuple[Cell, ...]]:
    from openpyxl import load_workbook  # noqa: PLC0415 -- half a second that only an XLSX needs

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
            if unpacked > _MOST_UNPACKED:
                raise TableRefused("unpacks")
            if any(_has_endless_text(archive, part) for part in archive.namelist() if part.endswith(".xml")):
                raise TableRefused("endless_cell")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = next((worksheet for worksheet in book.worksheets if worksheet.sheet_state == "visible"), None)
        if sheet is None:
            raise TableRefused("no_sheet")
        # Because some programs write a wrong size of the sheet, it is found by reading.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True):
            yield _trimmed(tuple(_cell(value) for value in row))
    except BROKEN as error:
        raise TableRefused("broken_xlsx") from error


def _has_endless_text(archive: zipfile.ZipFile, part: str) -> bool:
    """Whether a part has a text so long that reading it as XML would take gigabytes: a stretch without a tag."""
    with archive.open(part) as unpacked:
        while len(piece := unpacked.read(_LONGEST_TEXT)) == _LONGEST_TEXT:
            if b"<" not in piece:
                return True
    return False


def _trimmed(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells up to the last that isn't empty."""
    return cells[: max((place for place, cell in enumerate(cells, 1) if cell != ""), default=0)]


def _cell(value: object) -> Cell:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return Decimal(value)
        case float():
            number = Decimal(repr(value))
            return number.to_integral_value() if number == number.to_integral_value() else number
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value).strip()

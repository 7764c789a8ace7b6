"""Writes the catalogue as CSV, XLSX or JSON, with every amount exactly as it was confirmed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from bot.products.catalogue import CatalogueEntry, Product
from pipelines.product import FIELDS

Format = Literal["csv", "json", "xlsx"]
FORMATS: tuple[Format, ...] = ("csv", "json", "xlsx")
MIMES: dict[Format, str] = {
    "csv": "text/csv",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
COLUMNS = (*FIELDS, "captured_at", "updated_at", "photos")
# OWASP, CSV injection: with one of these in front, a spreadsheet reads a text as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_BOM = "\ufeff"
_MOST_DIGITS = 15
_WIDTHS = {"name": 32, "brand": 18, "barcode": 18, "captured_at": 20, "updated_at": 20}


@dataclass(frozen=True, slots=True)
class Listed:
    """A product and all its confirmations."""

    product: Product
    history: Sequence[CatalogueEntry] = ()


def exported(listed: Sequence[Listed], as_: Format, zone: tzinfo, *, for_excel: bool = False) -> bytes:
    """Write the file, with times in `zone`; a large catalogue takes CPU, so run it off the loop.

    `for_excel` marks CSV as UTF-8, because Excel garbles accents without the mark. Programs would take the mark for a
    part of the first column's name.
    """
    match as_:
        case "csv":
            return _csv(listed, zone, marked=for_excel)
        case "json":
            return _json(listed, zone)
        case "xlsx":
            return _xlsx(listed, zone)


def _row(product: Product, zone: tzinfo) -> dict[str, str]:
    return {
        **{name: product.fields.get(name, "") for name in FIELDS},
        "captured_at": product.captured_at.astimezone(zone).isoformat(timespec="seconds"),
        "updated_at": product.updated_at.astimezone(zone).isoformat(timespec="seconds"),
        "photos": str(len(product.photos)),
    }


def _csv(listed: Sequence[Listed], zone: tzinfo, *, marked: bool) -> bytes:
    """RFC 4180: commas and CRLF, which Excel in Mexico expects too."""
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for item in listed:
        row = _row(item.product, zone)
        table.writerow([harmless(row[name]) for name in COLUMNS])
    return ((_BOM if marked else "") + written.getvalue()).encode()


def _json(listed: Sequence[Listed], zone: tzinfo) -> bytes:
    """An array of objects; amounts are strings, because JSON's numbers are no decimals. An unknown value is `null`."""
    rows = [
        {name: value or None for name, value in _row(item.product, zone).items()}
        | {
            "photos": len(item.product.photos),
            "details": item.product.details,
            "files": [picture.model_dump() for picture in item.product.photos],
            "history": [entry.model_dump(mode="json", exclude={"confirmation"}) for entry in item.history],
        }
        for item in listed
    ]
    return (json.dumps(rows, ensure_ascii=False, indent=2) + "\n").encode()


def _xlsx(listed: Sequence[Listed], zone: tzinfo) -> bytes:
    """Texts are texts, never formulas or links; a barcode keeps its zeros, a price is a number with two decimals."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - only an export to XLSX needs it

    written = io.BytesIO()
    with Workbook(written, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Catálogo")
        head = book.add_format({"bold": True})
        money, text = book.add_format({"num_format": "#,##0.00##"}), book.add_format({"num_format": "@"})
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, _WIDTHS.get(name, 12))
            sheet.write_string(0, column, name, head)
        sheet.freeze_panes(1, 0)
        for line, item in enumerate(listed, 1):
            row = _row(item.product, zone)
            for column, name in enumerate(COLUMNS):
                number = _number(row[name]) if name in ("price", "photos") else None
                if number is not None:
                    sheet.write_number(line, column, number, money if name == "price" else None)
                else:
                    sheet.write_string(line, column, row[name], text)
    return written.getvalue()


def _number(value: str) -> Any:
    """The number, if a spreadsheet holds it exactly in its 15 digits, else None."""
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and len(amount.as_tuple().digits) <= _MOST_DIGITS else None


def harmless(value: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would take it for a formula."""
    return f"'{value}" if value.startswith(_FORMULA) else value

"""Writes the catalogue as the CSV that an import reads back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from bot.catalogue.product import COLUMNS, CatalogueProduct, amount_text
from bot.products.export import harmless

_AMOUNTS = ("price", "stock")


def exported(products: Iterable[CatalogueProduct]) -> bytes:
    """RFC 4180 in UTF-8. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for product in products:
        texts = {name: getattr(product, name) for name in COLUMNS if name not in _AMOUNTS}
        amounts = {name: amount_text(getattr(product, name)) for name in _AMOUNTS}
        table.writerow(
            [{**{name: harmless(text) for name, text in texts.items()}, **amounts}[name] for name in COLUMNS]
        )
    return written.getvalue().encode()

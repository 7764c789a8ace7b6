"""Takes the products of a file, and names the rows that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from bot.catalogue.columns import RowRefused, columns_of, product_from
from bot.catalogue.product import CatalogueProduct
from pipelines.spreadsheet import TableRefused, table_rows

MOST_PRODUCTS = 500_000


class BadRow(NamedTuple):
    """A row that was left out: its number as a spreadsheet counts, and the reason."""

    row: int
    reason: RowRefused


@dataclass(slots=True)
class ReadCatalogue:
    """Products and bad rows of a file, in its order; `columns` are the fields that its first row names."""

    columns: frozenset[str] = frozenset()
    products: list[CatalogueProduct] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_catalogue(data: bytes, currency: str, at: datetime, step: Callable[[], None]) -> ReadCatalogue:
    """Read a CSV or XLSX; `currency` is that of prices without one, and `step` is told of each row.

    Raises TableRefused if the file as a whole is no catalogue.
    """
    rows = table_rows(data)
    header = next(rows, None)
    if header is None:
        raise TableRefused("empty")
    places = columns_of(header.cells)
    read = ReadCatalogue(frozenset(places))
    seen: dict[str, int] = {}
    for row in rows:
        step()
        try:
            product = replace(product_from(row, places, currency), updated_at=at)
            if earlier := seen.get(product.sku):
                raise RowRefused("repeated", value=product.sku, row=str(earlier))  # noqa: TRY301
        except RowRefused as error:
            read.bad.append(BadRow(row.number, error))
            continue
        seen[product.sku] = row.number
        read.products.append(product)
        if len(read.products) > MOST_PRODUCTS:
            raise TableRefused("many_products")
    return read

"""A product of the catalogue as shops know it, and the two ways to write its barcode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from pipelines.barcodes import is_gtin

Source = Literal["import", "card"]
COLUMNS = ("sku", "name", "brand", "size", "price", "currency", "barcode", "stock", "url", "image")
"""Columns of an imported and of an exported file, in order."""

_GTIN_DIGITS = 14
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CatalogueProduct:
    """A product; amounts are exact. `stock` is None if nobody counts it, `card` the id of the card it came from."""

    sku: str
    name: str
    brand: str = ""
    size: str = ""
    price: Decimal | None = None
    currency: str = ""
    barcode: str = ""
    stock: Decimal | None = None
    url: str = ""
    image: str = ""
    source: Source = "import"
    card: str = ""
    updated_at: datetime = _LONG_AGO


def gtin_of(barcode: str) -> str:
    """The 14 digits that UPC and EAN forms of one number share; empty for what is no such number."""
    return barcode.zfill(_GTIN_DIGITS) if is_gtin(barcode) else ""


def amount_text(amount: Decimal | None) -> str:
    """Digits of an amount with a point and without an exponent; empty for None."""
    return "" if amount is None else f"{amount:f}"

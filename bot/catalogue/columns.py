"""Reads a row of a shop's own file into a product, or says in words why it can't."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import urlsplit

from bot.catalogue.product import CatalogueProduct
from pipelines.barcodes import is_gtin
from pipelines.product.vocabulary import plain
from pipelines.spreadsheet import Cell, TableRefused, TableRow

_NAMES: dict[str, str] = {
    "sku": "sku, clave, codigo interno, clave interna, codigo de producto, id, articulo, item, item number, "
    "product code, referencia, ref, numero de parte, part number, modelo",
    "name": "name, nombre, producto, descripcion, nombre del producto, product, product name, title, titulo, "
    "description, articulo nombre",
    "brand": "brand, marca, fabricante, manufacturer",
    "size": "size, tamano, contenido, contenido neto, presentacion, medida, net content, content, unit size",
    "price": "price, precio, precio de venta, precio venta, precio publico, precio unitario, pvp, unit price, "
    "sale price, importe",
    "currency": "currency, moneda, divisa",
    "barcode": "barcode, codigo de barras, codigo barras, codigo, ean, ean13, upc, gtin, code, bar code",
    "stock": "stock, existencia, existencias, inventario, cantidad, disponible, quantity, qty, inventory, on hand, "
    "available",
    "url": "url, enlace, liga, link, pagina, web, product url",
    "image": "image, imagen, foto, image url, image link, url de imagen, picture, photo",
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split(", ")}
_LONGEST = {"sku": 64, "name": 300, "brand": 120, "size": 80, "url": 2000, "image": 2000}
_MOST = Decimal(1_000_000_000)
# A spreadsheet's own arithmetic leaves more decimals than any price or stock has.
_MOST_DECIMALS = 6
_SIGN = re.compile(r"(?:mxn|usd|eur|us|mx)?\s?[$€]\s?|\s?(?:mxn|usd|eur|€|pesos?|m\.n\.)$", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:\.\d{3})+,\d{1,2}|"
                      r"\d{1,3}(?:[ \u00a0\u202f']\d{3})+(?:[.,]\d{1,2})?")  # fmt: skip
_AMBIGUOUS = re.compile(r"\d{1,3}\.\d{3}")
_SIMPLE = re.compile(r"\d++(?:[.,]\d++)?|[.,]\d++")
_NO_STOCK = {"agotado", "sin existencia", "sin existencias", "sold out", "out of stock"}
_CURRENCIES = {"pesos": "MXN", "peso": "MXN", "$": "MXN", "mn": "MXN", "m.n.": "MXN", "dolares": "USD", "dlls": "USD",
               "euros": "EUR", "€": "EUR"}  # fmt: skip
_LENGTHS, _MOST_ZEROS = (8, 12, 13, 14), 2


class RowRefused(ValueError):
    """A row that isn't a product; `problem` names the reason, `field` the column, and `values` fill in its text."""

    def __init__(self, problem: str, field: str = "", **values: str) -> None:
        super().__init__(problem)
        self.problem, self.field, self.values = problem, field, values


def columns_of(header: Sequence[Cell]) -> dict[str, int]:
    """The place of each field by the first row. Raises TableRefused without a name, or without sku and barcode."""
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        name = " ".join(re.findall(r"[a-z0-9]+", plain(str(cell)).replace("ñ", "n")))
        field = _FIELDS.get(name)
        # The exact English name precedes its synonyms: "codigo" is the barcode only if there is no column "barcode".
        if field and (field not in places or name == field):
            places[field] = place
    if "name" not in places or not {"sku", "barcode"} & set(places):
        raise TableRefused("no_columns")
    return places


def product_from(row: TableRow, places: Mapping[str, int], currency: str) -> CatalogueProduct:
    """The product of a row; `currency` is that of a price without one. Raises RowRefused."""
    if row.problem:
        raise RowRefused(row.problem)
    cells = {field: row.cells[place] for field, place in places.items() if place < len(row.cells)}
    texts = {field: _text(field, cell) for field, cell in cells.items() if field in _LONGEST}
    if not texts.get("name"):
        raise RowRefused("no_name")
    barcode = _barcode(cells.get("barcode", ""))
    sku = texts.get("sku") or barcode
    if not sku:
        raise RowRefused("no_sku")
    price = _amount("price", cells.get("price", ""))
    return CatalogueProduct(
        sku=sku,
        name=texts["name"],
        brand=texts.get("brand", ""),
        size=texts.get("size", ""),
        price=price,
        currency=_currency(cells.get("currency", ""), currency) if price is not None else "",
        barcode=barcode,
        stock=_stock(cells.get("stock", "")),
        url=_address("url", texts.get("url", "")),
        image=_address("image", texts.get("image", "")),
    )


def _text(field: str, cell: Cell) -> str:
    text = " ".join(_shown(cell).split())
    # An export writes this before what a spreadsheet would take for a formula.
    text = text[1:] if re.match(r"'[=+\-@]", text) else text
    if len(text) > _LONGEST[field]:
        raise RowRefused("long_text", field, most=str(_LONGEST[field]))
    return "".join(sign for sign in text if sign.isprintable())


def _shown(cell: Cell) -> str:
    return f"{cell:f}" if isinstance(cell, Decimal) else cell


def _quoted(cell: Cell) -> str:
    text = _shown(cell)
    return f"“{text[:40]}…”" if len(text) > 41 else f"“{text}”"  # noqa: PLR2004 - as long as is shown


def _amount(field: str, cell: Cell) -> Decimal | None:
    amount = cell if isinstance(cell, Decimal) else _written_amount(field, cell)
    if amount is None:
        return None
    if field == "stock" and amount < 0:
        # Because some systems sell before they book the purchase, a count below zero is an empty shelf.
        return Decimal(0)
    if amount < 0 or amount > _MOST:
        raise RowRefused("out_of_range", field, value=_quoted(cell), most=f"{_MOST:,}")
    rounded = round(amount, _MOST_DECIMALS)
    if amount and not rounded:
        raise RowRefused("no_number", field, value=_quoted(cell))
    # The sum makes a plain zero of one with a minus.
    return amount + 0 if rounded == amount else rounded.normalize()


def _written_amount(field: str, text: str) -> Decimal | None:
    bare = _SIGN.sub("", text.strip().removeprefix("'")).strip()
    if not bare:
        return None
    minus, digits = ("-", bare[1:].strip()) if bare[0] in "-−" else ("", bare)
    if len(digits) > 20 or not re.fullmatch(r"[\d., \u00a0\u202f']+", digits, re.ASCII):  # noqa: PLR2004 - of any amount
        raise RowRefused("no_number", field, value=_quoted(text))
    if _AMBIGUOUS.fullmatch(digits):
        raise RowRefused("two_ways", field, value=_quoted(text))
    if _GROUPED.fullmatch(digits):
        whole, _, cents = re.sub(r"[.,](?=\d{1,2}$)", "|", digits).partition("|")
        return Decimal(f"{minus}{re.sub('[^0-9]', '', whole)}.{cents or 0}".removesuffix(".0"))
    if _SIMPLE.fullmatch(digits):
        return Decimal(minus + digits.replace(",", "."))
    raise RowRefused("no_number", field, value=_quoted(text))


def _stock(cell: Cell) -> Decimal | None:
    if isinstance(cell, str) and plain(cell) in _NO_STOCK:
        return Decimal(0)
    return _amount("stock", cell)


def _currency(cell: Cell, otherwise: str) -> str:
    text = _shown(cell).strip()
    code = _CURRENCIES.get(plain(text), text.upper()) or otherwise
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise RowRefused("no_currency", value=_quoted(cell))
    return code


def _barcode(cell: Cell) -> str:
    if isinstance(cell, str) and re.fullmatch(r"\d(?:[.,]\d+)?e\+?\d+", cell.strip(), re.IGNORECASE):
        raise RowRefused("rounded", value=_quoted(cell))
    bare = re.sub(r"[\s\-']", "", _shown(cell))
    if not bare:
        return ""
    if bare.isdecimal() and bare.isascii():
        if is_gtin(bare):
            return bare
        # Because a spreadsheet drops zeros in front of numbers, they are put back where the check digit is right.
        longer = (bare.zfill(digits) for digits in _LENGTHS if 0 < digits - len(bare) <= _MOST_ZEROS)
        padded = next(filter(is_gtin, longer), None)
        if isinstance(cell, Decimal) and padded:
            return padded
        if len(bare) in _LENGTHS:
            raise RowRefused("check_digit", value=_quoted(bare))
    if not re.fullmatch(r"[A-Za-z0-9./_]{1,48}", bare):
        raise RowRefused("strange_barcode", value=_quoted(cell))
    return bare


def _address(field: str, text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", text):
        raise RowRefused("no_address", field, value=_quoted(text))
    return text

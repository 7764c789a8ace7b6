"""Tells photos of products from those of receipts, of posters with a QR code, and of pages of text."""

from __future__ import annotations

import re
from statistics import median
from typing import Literal

from pipelines.image import PhotoText
from pipelines.product.codes import code_of
from pipelines.product.price_parsing import amounts
from pipelines.product.size_parsing import sizes
from pipelines.product.vocabulary import plain

Subject = Literal["product", "receipt", "poster", "page"]

# Words of receipts and invoices; a price tag has one of them at most.
_OF_RECEIPTS = re.compile(
    r"\b(sub\s?total|total|i\.?v\.?a\.?|cambio|efectivo|tarjeta|ticket|folio|r\.?f\.?c|cajer[oa]|caja|recibo|factura|"
    r"nota de venta|gracias por su compra|articulos|importe|cant|su pago|autorizacion|propina|mesa|"
    r"tax|change|cash|receipt|invoice|amount due|cashier|thank you)\b"
)
_RECEIPT_WORDS, _RECEIPT_AMOUNTS, _RECEIPT_LINES = 3, 2, 5
# The back of a package has a content among fewer words than a page with prices.
_PAGE_WORDS, _LONG_PAGE_WORDS, _WORDS_A_LINE, _LARGE_TYPE = 60, 120, 4, 2.5
_SQUARES = ("QR Code", "Aztec", "Data Matrix", "DataMatrix", "PDF417")


def subject_of(photo_text: PhotoText) -> Subject:
    """Name the subject; a photo with the number of a product, or without any sign of the others, is of a product."""
    codes = [code_of(code.value, may_be_gtin=code.may_be_gtin) for code in photo_text.barcodes]
    if any(code.gtin for code in codes):
        return "product"
    lines = [line.text for line in photo_text.lines]
    if _is_receipt(lines):
        return "receipt"
    if any(code.kind == "internal" for code in codes):
        return "product"
    if any(sizes(line) or any(amount.signed for amount in amounts(line)) for line in lines):
        return "page" if _is_page(photo_text, _LONG_PAGE_WORDS) else "product"
    if any(code.format in _SQUARES for code in photo_text.barcodes) and re.search(r"[^\W\d_]{3}", photo_text.text):
        return "poster"
    return "page" if _is_page(photo_text, _PAGE_WORDS) else "product"


def _is_receipt(lines: list[str]) -> bool:
    words = {found for line in lines for found in _OF_RECEIPTS.findall(plain(line))}
    paid = sum(1 for line in lines if re.search(r"\d[.,]\d\d\b", line))
    return len(words) >= _RECEIPT_WORDS and paid >= _RECEIPT_AMOUNTS and len(lines) >= _RECEIPT_LINES


def _is_page(photo_text: PhotoText, least: int) -> bool:
    """Whether it is running text of so many words, in type of one size."""
    words = [len(line.text.split()) for line in photo_text.lines]
    heights = [line.box.height for line in photo_text.lines]
    if sum(words) < least or median(words) < _WORDS_A_LINE:
        return False
    return max(heights) < median(heights) * _LARGE_TYPE

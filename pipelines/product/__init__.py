"""Reads photos of one product into a card: fields with confidence and place, and the open questions.

What to add where:

- a kind of code: a function and its row in `codes.READERS`; a GS1 identifier: a row in `codes.IDENTIFIERS`; a layout of
  a scale's own codes: a row in `codes.LAYOUTS`. Bars of another symbology are a name in `pipelines.barcodes`.
- a field: a function of type `evidence.Finder`, its row in `FINDERS`, its name in `card.FIELDS`. Chats, exports, the
  catalogue and `product.captured` take it from there.
- a currency or a word on price tags: `price_parsing`; a unit: `size_parsing`; a kind of thing: `vocabulary`.

A value is confident if two readings corroborate each other, such as bars and digits, front and tag, or a price read
twice. A price is also confident if its sum with other amounts is right. Sizes and bars that were read very well are
confident alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipelines.image import PhotoText, ReadText, read_photo
from pipelines.product.barcode_field import barcode_of, embedded_values_of
from pipelines.product.card import CONFIDENT, FIELDS, Doubt, DoubtKind, Field, ProductCard
from pipelines.product.codes import same_product
from pipelines.product.evidence import Evidence, Finder
from pipelines.product.name_field import names_of
from pipelines.product.price_field import price_of
from pipelines.product.rescan import MOST_RESCANS, rescan_unclear, with_unsure_price
from pipelines.product.size_field import size_of

__all__ = [
    "CONFIDENT",
    "FIELDS",
    "FINDERS",
    "MOST_RESCANS",
    "Doubt",
    "DoubtKind",
    "Field",
    "ProductCard",
    "card_from",
    "card_of",
    "card_of_sights",
    "same_product",
]

FINDERS: tuple[Finder, ...] = (barcode_of, size_of, price_of, names_of, embedded_values_of)
"""Run in this order; each reads the fields that earlier ones found."""


async def card_of(photos: Sequence[bytes], *, read_text: ReadText, shop_currency: str = "MXN") -> ProductCard:
    """Read the photos of one product. Raises FileRefused for what is no photo; errors of `read_text` pass through.

    `read_text` is called once a photo, and up to `MOST_RESCANS` times more. A rescan is for a badly read price or size,
    or for a price that nothing else corroborates. Such a price is sure only if both readings are the same.
    """
    photo_texts = [await read_photo(photo, read_text=read_text) for photo in photos]
    return await card_of_photo_texts(photo_texts, read_text=read_text, shop_currency=shop_currency)


async def card_of_photo_texts(
    photo_texts: Sequence[PhotoText], *, read_text: ReadText, shop_currency: str = "MXN"
) -> ProductCard:
    """Do as `card_of` with photos that were read already."""
    card = await asyncio.to_thread(card_from, photo_texts, shop_currency=shop_currency)
    rescanned, rescans = await rescan_unclear(photo_texts, card, read_text=read_text)
    if any(before is not other for before, other in zip(photo_texts, rescanned, strict=True)):
        card = await asyncio.to_thread(card_from, rescanned, shop_currency=shop_currency)
    return with_unsure_price(card, rescans)


def card_from(photo_texts: Sequence[PhotoText], *, shop_currency: str = "MXN") -> ProductCard:
    """Make the card of one product; `photo` of a field is an index into `photo_texts`.

    Because the pixels of prices are checked, a few milliseconds each, run it off the loop.
    """
    evidence = Evidence.of(photo_texts, shop_currency)
    doubts: list[Doubt] = []
    details: dict[str, str] = {}
    for find in FINDERS:
        found = find(evidence)
        evidence.found.update(found.fields)
        doubts += found.doubts
        details = found.details | details
    asked = {doubt.field for doubt in doubts}
    unsure = [
        name for name in FIELDS if name in evidence.found and name not in asked and not evidence.found[name].confident
    ]
    doubts += [Doubt(DoubtKind.UNSURE, name, (evidence.found[name],)) for name in unsure]
    return ProductCard(
        fields={name: evidence.found[name] for name in FIELDS if name in evidence.found},
        doubts=tuple(doubts),
        details=details,
        codes=tuple(dict.fromkeys(scan.barcode.value for scan in evidence.scans)),
        text=tuple(photo_text.text for photo_text in photo_texts),
    )

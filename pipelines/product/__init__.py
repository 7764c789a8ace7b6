"""Photos of one product become a card: each field with its confidence and its place, and what has to be asked.

What to add where:

- a kind of code: a function and its row in `codes.READERS`; a GS1 identifier: a row in `codes.IDENTIFIERS`; a layout of
  a scale's own codes: a row in `codes.LAYOUTS`. Bars of another symbology are a name in `pipelines.barcodes`.
- a field: a function of type `evidence.Finder`, its row in `FINDERS`, its name in `card.FIELDS`. Chats, exports, the
  catalogue and `product.captured` have it from there; `bot.products.texts` may give it a better title.
- a currency, a unit, a word on price tags, a kind of thing: a row in `prices`, `sizes`, `words`.

A value is confident where two readings bear each other out: bars and digits, front and tag, two looks at a price, a sum
that holds. Sizes and bars may be so alone, where they were read very well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipelines.image import PhotoText, ReadText, read_photo
from pipelines.product.barcode_field import barcode_of, carried_of
from pipelines.product.card import CONFIDENT, FIELDS, Doubt, DoubtKind, Field, ProductCard
from pipelines.product.codes import same_product
from pipelines.product.evidence import Evidence, Finder
from pipelines.product.name_field import names_of
from pipelines.product.price_field import price_of
from pipelines.product.rescan import MOST_LOOKS, borne_out, looked_closer
from pipelines.product.size_field import size_of

__all__ = [
    "CONFIDENT",
    "FIELDS",
    "FINDERS",
    "MOST_LOOKS",
    "Doubt",
    "DoubtKind",
    "Field",
    "ProductCard",
    "card_from",
    "card_of",
    "card_of_sights",
    "same_product",
]

FINDERS: tuple[Finder, ...] = (barcode_of, size_of, price_of, names_of, carried_of)
"""Asked in turn; each sees what those before it found."""


async def card_of(photos: Sequence[bytes], *, read_text: ReadText, shop_currency: str = "MXN") -> ProductCard:
    """Read the photos of one product. Raises Refusal for a photo that can't be one; errors of `read_text` pass through.

    `read_text` is asked once a photo, and up to `MOST_LOOKS` times more: for a price that nothing else on the photos
    bears out, which is sure only where both readings are the same, and for a price or a size that wasn't read well.
    """
    photo_texts = [await read_photo(photo, read_text=read_text) for photo in photos]
    return await card_of_photo_texts(photo_texts, read_text=read_text, shop_currency=shop_currency)


async def card_of_photo_texts(
    photo_texts: Sequence[PhotoText], *, read_text: ReadText, shop_currency: str = "MXN"
) -> ProductCard:
    """Do as `card_of` with photos that were looked at already."""
    card = await asyncio.to_thread(card_from, photo_texts, shop_currency=shop_currency)
    closer, looks = await looked_closer(photo_texts, card, read_text=read_text)
    if any(one is not other for one, other in zip(photo_texts, closer, strict=True)):
        card = await asyncio.to_thread(card_from, closer, shop_currency=shop_currency)
    return borne_out(card, looks)


def card_from(photo_texts: Sequence[PhotoText], *, shop_currency: str = "MXN") -> ProductCard:
    """Make the card of what was seen of one product; `photo` of a field is the place of its sight.

    It looks at the pixels of prices, a few milliseconds each: run it off the loop.
    """
    evidence = Evidence.of(photo_texts, shop_currency)
    doubts: list[Doubt] = []
    details: dict[str, str] = {}
    for find in FINDERS:
        found = find(evidence)
        evidence.found.update(found.fields)
        doubts += found.doubts
        details = found.details | details
    told = {doubt.field for doubt in doubts}
    unsure = [
        name for name in FIELDS if name in evidence.found and name not in told and not evidence.found[name].confident
    ]
    doubts += [Doubt(DoubtKind.UNSURE, name, (evidence.found[name],)) for name in unsure]
    return ProductCard(
        fields={name: evidence.found[name] for name in FIELDS if name in evidence.found},
        doubts=tuple(doubts),
        details=details,
        codes=tuple(dict.fromkeys(scan.barcode.value for scan in evidence.scans)),
        text=tuple(photo_text.text for photo_text in photo_texts),
    )

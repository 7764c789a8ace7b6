"""Products of the catalogue with price and stock: by words, by a barcode, or by the photo of a question."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import tzinfo
from typing import Any

from pydantic import Field

from bot.agent.tool import Arguments, ToolContext, ToolError, tool
from bot.catalogue.finder import CatalogueUnavailable, FoundProducts, ProductFinder
from bot.catalogue.product import CatalogueProduct, amount_text
from bot.messages.outbound import Choice, Menu
from bot.messages.phrases import phrase
from pipelines.product import card_from
from pipelines.product.codes import code_of

_DIGITS = r"\d[\d -]{6,20}\d"
_LONGEST_TITLE, _LONGEST_DESCRIPTION = 200, 500


class ProductQuestion(Arguments):
    words: str | None = Field(
        None,
        description="Words of the product: its kind, variety and brand, as the shop would call it in its language, "
        "such as leche deslactosada Lala",
        max_length=300,
    )
    size: str | None = Field(None, description="Its content, if they said one, such as 1 L or 500 g", max_length=60)
    code: str | None = Field(
        None, description="A barcode or an sku that they gave, or that an earlier photo showed", max_length=100
    )
    photo: bool = Field(default=False, description="true when they ask about the product in the photo they sent now")


@tool(ProductQuestion)
async def find_products(arguments: ProductQuestion, context: ToolContext) -> str:
    """Look up products in the shop's catalogue: whether there is one, its price and its stock. Prices and stock come
    from here alone, never from a text, a photo or memory. Several matches are shown as a list to tap.
    """
    finder = context.services.product_finder
    if finder is None:
        raise ToolError("there is no catalogue. Say that you can't look it up, and offer a person")
    try:
        found, by = await _found(arguments, context, finder)
    except CatalogueUnavailable as error:
        raise ToolError("the catalogue can't be reached now. Say so, guess no price, and offer a person") from error
    shown = _show_list(found, context) if len(found.products) > 1 else False
    return json.dumps(_answer(found, by, context, shown=shown), ensure_ascii=False)


async def _found(arguments: ProductQuestion, context: ToolContext, finder: ProductFinder) -> tuple[FoundProducts, str]:
    """Products by the surest of what is known: a code, then the photo's codes, then words."""
    words, size = (arguments.words or "").strip(), (arguments.size or "").strip()
    code = arguments.code or (words if re.fullmatch(_DIGITS, words) else "")
    # An sku may have dashes and spaces, which a barcode has for its reader alone.
    for form in dict.fromkeys((_plain_code(code), code.strip())) if code else ():
        if (found := await finder.by_code(form)).products:
            return found, "code"
    if arguments.photo and context.photos:
        found, by = await _by_photo(context, finder)
        if found.products or not arguments.words:
            return found, by
    if words or size:
        return await finder.by_words(words, size), "words"
    if arguments.code:
        return FoundProducts(), "code"
    if arguments.photo:
        raise ToolError("there is no photo in this message; give the code or the words that an earlier one showed")
    raise ToolError("give words, a code, or photo")


async def _by_photo(context: ToolContext, finder: ProductFinder) -> tuple[FoundProducts, str]:
    """Products with one of the photo's codes, else those that its printed words name."""
    for code in dict.fromkeys(_plain_code(bars.value) for photo in context.photos for bars in photo.barcodes):
        if (found := await finder.by_code(code)).products:
            return found, "code in the photo"
    card = await asyncio.to_thread(card_from, context.photos)
    read = {name: field.value for name, field in card.fields.items()}
    words = " ".join(filter(None, (read.get("name"), read.get("brand"))))
    if not words:
        return FoundProducts(), "the photo, in which no code of ours and no name could be read"
    return await finder.by_words(words, read.get("size", "")), "words in the photo"


def _plain_code(code: str) -> str:
    bare = code.replace(" ", "").replace("-", "")
    return code_of(bare).gtin or bare


def _answer(found: FoundProducts, by: str, context: ToolContext, *, shown: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "found_by": by,
        "products": [_facts(product, context.now.tzinfo) for product in found.products],
    }
    if not found.products:
        return answer | {"note": "The catalogue has no such product. Say so, name no price, and offer a person."}
    if not found.complete:
        answer["note"] = "None has all of the words: these are only similar. Say so."
    if found.total > len(found.products):
        answer["more"] = found.total - len(found.products)
    if shown:
        answer["list"] = "The products are shown as a list to tap, below your answer: don't repeat them."
    return answer


def _facts(product: CatalogueProduct, zone: tzinfo | None) -> dict[str, str]:
    facts = {
        "sku": product.sku,
        "name": product.name,
        "brand": product.brand,
        "size": product.size,
        "price": f"{amount_text(product.price)} {product.currency}".strip() or "unknown: don't guess it",
        "stock": amount_text(product.stock) or "unknown",
        "barcode": product.barcode,
        "url": product.url,
        "as_of": product.updated_at.astimezone(zone).date().isoformat(),
    }
    return {name: value for name, value in facts.items() if value}


def _show_list(found: FoundProducts, context: ToolContext) -> bool:
    """Add the list to the answer, once a turn."""
    if any(isinstance(part, Menu) for part in (*context.offered, *context.parts)):
        return False
    choices = tuple(
        Choice(id=f"{context.effect}.{number}", title=_plain(product.name)[:_LONGEST_TITLE], description=_line(product))
        for number, product in enumerate(found.products, 1)
    )
    body = phrase("products_found" if found.complete else "products_similar", context.language)
    context.parts.append(Menu(body=body, opener=phrase("products_open", context.language), choices=choices))
    return True


def _line(product: CatalogueProduct) -> str:
    price = f"{amount_text(product.price)} {product.currency}".strip()
    parts = (product.brand, product.size, price, product.sku)
    return " · ".join(_plain(part) for part in parts if part)[:_LONGEST_DESCRIPTION]


def _plain(text: str) -> str:
    """Text on a single line, without WhatsApp's marks for bold and the like."""
    return " ".join("".join(" " if sign in "*_~`" else sign for sign in text).split())

"""The products on the sandbox's page: confirmed cards, and those of an imported file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.catalogue.product import amount_text
from bot.database.lazy import LazyDatabase
from bot.products.catalogue import Catalogue

if TYPE_CHECKING:
    from bot.catalogue.product import CatalogueProduct
    from bot.catalogue.table import ProductTable

_MOST = 300
_FIELDS = ("name", "brand", "size", "currency", "barcode")


def list_products_handler(cards: Catalogue, database: LazyDatabase) -> Callable[[web.Request], Awaitable[web.Response]]:
    """`GET /sandbox/catalogue`: `[{id, version, fields, photos, updated_at}]`, newest first; `photos` is a number."""

    async def handler(_: web.Request) -> web.Response:
        confirmed = [
            {
                "id": card.id,
                "version": card.version,
                "fields": card.fields,
                "photos": len(card.photos),
                "updated_at": card.updated_at.isoformat(),
            }
            async for card in cards.all()
        ]
        module = await asyncio.to_thread(import_module, "bot.catalogue.table")
        table: ProductTable = module.ProductTable(await database())
        imported = [_imported(product) for product in await table.all() if not product.card]
        listed = sorted([*confirmed, *imported], key=lambda product: str(product["updated_at"]), reverse=True)
        return web.json_response(listed[:_MOST])

    return handler


def _imported(product: CatalogueProduct) -> dict[str, Any]:
    fields = {name: value for name in _FIELDS if (value := getattr(product, name))}
    if product.price is not None:
        fields["price"] = amount_text(product.price)
    return {
        "id": product.sku,
        "version": 1,
        "fields": fields,
        "photos": 0,
        "updated_at": product.updated_at.isoformat(),
    }

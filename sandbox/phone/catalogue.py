"""The confirmed products on the sandbox's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.products.catalogue import Catalogue


def list_products_handler(catalogue: Catalogue) -> Callable[[web.Request], Awaitable[web.Response]]:
    """`GET /sandbox/catalogue`: `[{id, version, fields, photos, updated_at}]`, newest first; `photos` is a number."""

    async def handler(_: web.Request) -> web.Response:
        products = sorted([one async for one in catalogue.all()], key=lambda one: one.updated_at, reverse=True)
        return web.json_response([
            {
                "id": one.id,
                "version": one.version,
                "fields": one.fields,
                "photos": len(one.photos),
                "updated_at": one.updated_at.isoformat(),
            }
            for one in products
        ])  # fmt: skip

    return handler

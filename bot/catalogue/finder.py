"""Answers questions about products from the catalogue; its database and its index are loaded at the first question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from bot.catalogue.card_sync import CardSync
from bot.catalogue.product import CatalogueProduct

if TYPE_CHECKING:
    from bot.catalogue.search import ProductWords
    from bot.catalogue.table import IndexedProduct, ProductTable
    from bot.database.engine import Database

MOST_FOUND = 10


class CatalogueUnavailable(Exception):
    """The database with the catalogue doesn't answer, or lacks its schema."""


@dataclass(frozen=True, slots=True)
class FoundProducts:
    """Products that answer a question, the best first; `complete` if they have all of its words.

    `total` counts all that answer it as well as the first.
    """

    products: tuple[CatalogueProduct, ...] = ()
    complete: bool = True
    total: int = 0


class ProductFinder:
    """Finds products for one process. The index follows the database: each question asks it for changes."""

    def __init__(self, open_database: Callable[[], Awaitable[Database]], cards: CardSync) -> None:
        self._open_database = open_database
        self.cards = cards
        self._table: ProductTable | None = None
        self._words: ProductWords | None = None
        self._base = 0
        self._seen = 0
        self._refreshing: asyncio.Task[ProductWords] | None = None

    async def by_code(self, code: str) -> FoundProducts:
        """Products with this barcode in any of its forms, or with this sku. Raises CatalogueUnavailable."""
        async with self._table_or_unavailable() as table:
            found = tuple(await table.by_code(code))
        return FoundProducts(found[:MOST_FOUND], total=len(found))

    async def by_words(self, words: str, size: str = "") -> FoundProducts:
        """Products by words in any order, slips allowed. Raises CatalogueUnavailable."""
        async with self._table_or_unavailable() as table:
            index = await self._current_words(table)
            hits = await asyncio.to_thread(index.search, words, size, most=MOST_FOUND)
            products = await table.by_ids([hit.product for hit in hits.best])
        complete = all(hit.complete for hit in hits.best)
        if complete:
            # Of products that answer equally, those that can be bought come first.
            products.sort(key=lambda product: product.stock == 0)
        return FoundProducts(tuple(products), complete, hits.total)

    async def close(self) -> None:
        if self._refreshing:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})

    @asynccontextmanager
    async def _table_or_unavailable(self) -> AsyncIterator[ProductTable]:
        """The table, with the cards that were confirmed since the last question."""
        # Because SQLAlchemy takes a second to import, a thread does it.
        module = await asyncio.to_thread(import_module, "bot.catalogue.table")
        try:
            table = self._table or module.ProductTable(await self._open_database())
            await self.cards.sync(table)
            self._table = table
            yield table
        except module.DATABASE_ERRORS as error:
            raise CatalogueUnavailable(type(error).__name__) from error

    async def _current_words(self, table: ProductTable) -> ProductWords:
        """The index with all changes. Simultaneous questions share one update; a cancelled question doesn't end it."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refreshed(table))
            # If all waiting questions were cancelled, nobody else retrieves the task's exception.
            self._refreshing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._refreshing)

    async def _refreshed(self, table: ProductTable) -> ProductWords:
        latest = await table.latest_revision()
        if self._words is None or latest < self._seen:
            return await self._made_anew(table)
        if latest > self._seen:
            changed = await table.changed_since(self._base)
            alive, gone = (
                [product for product in changed if not product.gone],
                [product.id for product in changed if product.gone],
            )
            words = await asyncio.to_thread(self._words.with_changes, alive, gone)
            if words is None:
                return await self._made_anew(table)
            self._words, self._seen = words, latest
        return self._words

    async def _made_anew(self, table: ProductTable) -> ProductWords:
        search = await asyncio.to_thread(import_module, "bot.catalogue.search")
        products: list[IndexedProduct] = await table.changed_since(0)
        alive = [product for product in products if not product.gone]
        words: ProductWords = await asyncio.to_thread(search.ProductWords, alive)
        self._words, self._base = words, max((product.revision for product in products), default=0)
        self._seen = self._base
        return words

"""Products for a sandbox whose catalogue is empty, so that a newcomer can ask for a price at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bot.catalogue.importer import read_catalogue
from bot.database.lazy import LazyDatabase
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.catalogue.table import ProductTable

_FILE = Path(__file__).with_name("samples") / "catalogue.csv"


async def add_sample_products(settings: Settings) -> None:
    """Import the sample where the database has no product yet, and never had one."""
    database = LazyDatabase(settings.database)
    try:
        opened = await database()
        table_module = await asyncio.to_thread(import_module, "bot.catalogue.table")
        table: ProductTable = table_module.ProductTable(opened)
        if not await table.latest_revision():
            read = read_catalogue(_FILE.read_bytes(), settings.service.shop_currency, datetime.now(UTC), lambda: None)
            await table.write(read.products)
    finally:
        await database.close()

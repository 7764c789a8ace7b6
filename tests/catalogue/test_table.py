"""Products in both kinds of database: written once, found by code and words, and up to date with confirmed cards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from bot.catalogue.card_sync import CardSync
from bot.catalogue.finder import ProductFinder
from bot.catalogue.product import CatalogueProduct
from bot.catalogue.table import ProductTable, Written
from bot.database.engine import Database
from bot.products.catalogue import Catalogue, CatalogueEntry, Product

CODE, UPC = "7501055300075", "012345678905"
NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
MILK = CatalogueProduct("L1", "Leche entera", "Lala", "1 L", Decimal("28.50"), "MXN", CODE, Decimal(12), updated_at=NOW)
SOAP = CatalogueProduct("J1", "Jabón de tocador", "Zote", barcode=UPC, updated_at=NOW)


@pytest.fixture
def table(database: Database) -> ProductTable:
    return ProductTable(database)


@pytest.fixture
def finder(database: Database, redis: Redis) -> ProductFinder:
    async def opened() -> Database:
        return database

    return ProductFinder(opened, CardSync(Catalogue(redis)))


async def confirm(redis: Redis, name: str, price: str, barcode: str, *, at: datetime, version: int = 1) -> None:
    """Store a card as a tap does."""
    fields = {"name": name, "price": price, "currency": "MXN", "barcode": barcode}
    product = Product(id=f"g_{barcode}", version=version, fields=fields, captured_at=at, updated_at=at)
    entry = CatalogueEntry(confirmation=f"tap-{version}-{barcode}", by="c_1", at=at, fields=fields)
    assert await Catalogue(redis).save(product, entry)


async def test_products_are_written_once_and_come_back_exactly(table: ProductTable) -> None:
    assert await table.write([MILK, SOAP]) == Written(new=2)
    assert await table.write([MILK, SOAP]) == Written(same=2)
    assert await table.all() == [SOAP, MILK]
    assert await table.by_code(CODE.zfill(14)) == [MILK]
    assert await table.by_code(UPC.zfill(13)) == [SOAP]
    assert await table.by_code("J1") == [SOAP]
    assert await table.by_code("7501055300071") == []


async def test_a_replacing_write_removes_the_rest_until_a_file_brings_it_back(
    table: ProductTable, finder: ProductFinder
) -> None:
    await table.write([MILK, SOAP])
    assert (await finder.by_words("jabon")).products == (SOAP,)
    assert await table.write([MILK], replaces=True) == Written(same=1, removed=1)
    assert (await finder.by_words("jabon")).products == ()
    assert await table.by_code(UPC) == []
    assert await table.write([SOAP]) == Written(new=1)
    assert (await finder.by_words("jabon")).products == (SOAP,)


async def test_the_search_follows_each_change_of_the_database(table: ProductTable, finder: ProductFinder) -> None:
    assert (await finder.by_words("leche")).products == ()
    await table.write([MILK])
    assert (await finder.by_words("lehce")).products == (MILK,)
    yogurt = CatalogueProduct("L1", "Yogur natural", "Lala", updated_at=NOW)
    await table.write([yogurt], known=("name", "brand"))
    assert (await finder.by_words("leche")).products == ()
    (found,) = (await finder.by_words("yogur lala")).products
    assert (found.price, found.barcode, found.size) == (MILK.price, CODE, "1 L")


async def test_confirmed_cards_join_the_products_and_the_newest_statement_holds(
    table: ProductTable, finder: ProductFinder, redis: Redis
) -> None:
    await table.write([MILK])
    await confirm(redis, "Leche Lala", "29.90", CODE, at=NOW + timedelta(hours=1))
    await confirm(redis, "Detergente", "35.00", "7503001234564", at=NOW)
    (milk,) = (await finder.by_code(CODE)).products
    assert (milk.sku, milk.name, milk.price, milk.stock, milk.size) == (
        "L1", "Leche Lala", Decimal("29.90"), Decimal(12), "1 L",
    )  # fmt: skip
    (card,) = (await finder.by_words("detergente")).products
    assert (card.sku, card.source, card.price) == ("7503001234564", "card", Decimal("35.00"))
    await confirm(redis, "Detergente", "36.00", "7503001234564", at=NOW + timedelta(hours=2), version=2)
    assert (await finder.by_words("detergente")).products[0].price == Decimal("36.00")
    await confirm(redis, "Leche vieja", "1.00", CODE, at=NOW - timedelta(days=1), version=2)
    assert (await finder.by_code(CODE)).products[0].price == Decimal("29.90")
    assert len(await table.all()) == 2


async def test_a_new_database_gets_the_cards_that_redis_has_and_a_new_redis_is_followed(
    table: ProductTable, finder: ProductFinder, redis: Redis
) -> None:
    for number, code in enumerate((CODE, "7503001234564")):
        await confirm(redis, f"Producto {number}", "10.00", code, at=NOW)
    await redis.delete("recado:{products}:changes", "recado:{products}:changed")
    await CardSync(Catalogue(redis)).sync(table)
    assert len(await table.all()) == 2
    await redis.flushall()
    await confirm(redis, "Otro más", "12.00", "7506306213432", at=NOW)
    assert (await finder.by_words("otro mas")).complete
    assert len(await table.all()) == 3

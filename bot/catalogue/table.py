"""The table of products in the SQL database, and its queries; loaded at the first use of the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from itertools import islice
from typing import Any

import asyncpg
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.catalogue.product import CatalogueProduct, amount_text, gtin_of
from bot.database.advisory_locks import AdvisoryLock, hold
from bot.database.engine import Database
from bot.database.opening import SchemaOutdated
from bot.database.schema import METADATA, Timestamp

# Errors of connecting to PostgreSQL are asyncpg's own.
DATABASE_ERRORS = (SQLAlchemyError, SchemaOutdated, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
PRODUCTS = Table(
    "products",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("sku", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("brand", Text, nullable=False),
    Column("size", Text, nullable=False),
    # Amounts are texts, because SQLite has no exact decimals.
    Column("price", String(32), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("barcode", String(48), nullable=False),
    Column("gtin", String(14), nullable=False),
    Column("stock", String(32), nullable=False),
    Column("url", Text, nullable=False),
    Column("image", Text, nullable=False),
    Column("source", String(8), nullable=False),
    Column("card", String(64), nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    Column("removed_at", Timestamp),
    # Grows with each change, so that a search learns of changes alone.
    Column("revision", Integer, nullable=False),
    Index("ix_products_gtin", "gtin"),
    Index("ix_products_barcode", "barcode"),
    Index("ix_products_card", "card"),
    Index("ix_products_revision", "revision"),
)
CARDS_SEEN = Table(
    "catalogue_cards",
    METADATA,
    Column("id", Integer, primary_key=True),
    # Number of the last confirmation in Redis whose card this database has.
    Column("seen", BigInteger, nullable=False),
)
_P = PRODUCTS.c
_OF_CARDS = ("name", "brand", "size", "price", "currency", "barcode")
FACTS = ("name", "brand", "size", "price", "currency", "barcode", "stock", "url", "image")
# Both databases take more parameters in a statement.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class IndexedProduct:
    """Words of a product for the search; `gone` when it was removed."""

    id: int
    revision: int
    name: str
    brand: str
    size: str
    gone: bool


@dataclass(slots=True)
class Written:
    """Number of products by what a write did to them."""

    new: int = 0
    changed: int = 0
    same: int = 0
    removed: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(*(getattr(self, count.name) + getattr(other, count.name) for count in fields(self)))


class ProductTable:
    """Products in the database. A product that isn't sold any more stays as removed, so that searches learn of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(
        self, products: Sequence[CatalogueProduct], *, known: Collection[str] = FACTS, replaces: bool = False
    ) -> Written:
        """Store products by their sku, in one transaction; equal ones are left alone.

        `known` are the facts that these products tell: a stored product keeps its others. `replaces` removes the
        imported products that aren't among these.
        """
        kept = [name for name in FACTS if name not in known]
        written = Written()
        async with self._database.writing() as connection:
            # Writers wait for each other, so that revisions are committed in their order.
            await hold(connection, AdvisoryLock.CATALOGUE)
            revision = await _latest_revision(connection) + 1
            for batch in _batches(products, _AT_ONCE):
                written += await self._write_batch(connection, batch, revision, kept)
            if replaces:
                written.removed = await _remove_others(connection, products, revision)
        return written

    async def cards_seen(self) -> int:
        """Number of the last confirmation whose card is here; negative where no card ever was."""
        async with self._database.reading() as connection:
            seen = (await connection.execute(select(CARDS_SEEN.c.seen))).scalar()
        return -1 if seen is None else int(seen)

    async def write_cards(self, cards: Sequence[CatalogueProduct], seen: int) -> None:
        """Store confirmed cards, each over the product that it or its barcode already is, and note `seen`."""
        async with self._database.writing() as connection:
            await hold(connection, AdvisoryLock.CATALOGUE)
            revision = await _latest_revision(connection) + 1
            for card in cards:
                before = await _of_card(connection, card)
                await self._upsert(connection, [_row(card if before is None else _over(before, card), revision)])
            await connection.execute(delete(CARDS_SEEN))
            await connection.execute(insert(CARDS_SEEN).values(id=1, seen=seen))

    async def by_code(self, code: str) -> list[CatalogueProduct]:
        """Products with this barcode, in any of its forms, or with this sku."""
        gtin = gtin_of(code)
        same = (_P.gtin == gtin) if gtin else (_P.barcode == code)
        found = await self._products(select(PRODUCTS).where(same, _P.removed_at.is_(None)).order_by(_P.id).limit(20))
        if found:
            return found
        return await self._products(select(PRODUCTS).where(_P.sku == code, _P.removed_at.is_(None)))

    async def by_ids(self, ids: Sequence[int]) -> list[CatalogueProduct]:
        """Products in the order of `ids`; removed ones are left out."""
        query = select(PRODUCTS).where(_P.id.in_(ids), _P.removed_at.is_(None))
        async with self._database.reading() as connection:
            found = {row.id: _product(row) for row in await connection.execute(query)}
        return [found[id_] for id_ in ids if id_ in found]

    async def all(self) -> list[CatalogueProduct]:
        """Products that weren't removed, by sku."""
        return await self._products(select(PRODUCTS).where(_P.removed_at.is_(None)).order_by(_P.sku))

    async def latest_revision(self) -> int:
        async with self._database.reading() as connection:
            return await _latest_revision(connection)

    async def changed_since(self, revision: int) -> list[IndexedProduct]:
        """Words of the products that were written after `revision`."""
        query = select(_P.id, _P.revision, _P.name, _P.brand, _P.size, _P.removed_at).where(_P.revision > revision)
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return [IndexedProduct(*row[:5], gone=row[5] is not None) for row in rows]

    async def _products(self, query: Any) -> list[CatalogueProduct]:
        async with self._database.reading() as connection:
            return [_product(row) for row in await connection.execute(query)]

    async def _write_batch(
        self, connection: AsyncConnection, batch: Sequence[CatalogueProduct], revision: int, kept: Sequence[str]
    ) -> Written:
        stored = await _stored(connection, batch)
        written, rows = Written(), []
        for product in batch:
            row, before = _row(product, revision), stored.get(product.sku)
            if before is None or before.removed_at is not None:
                written.new += 1
            else:
                row |= {name: getattr(before, name) for name in kept} | {"card": before.card}
                row["gtin"] = gtin_of(row["barcode"])
                if _is_same(before, row):
                    written.same += 1
                    continue
                written.changed += 1
            rows.append(row)
        if rows:
            await self._upsert(connection, rows)
        return written

    async def _upsert(self, connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
        # One statement executed for many rows: one with all rows in it takes ten times as long to put together.
        dialect = postgresql if self._database.is_postgresql else sqlite
        statement = dialect.insert(PRODUCTS)
        changes = {name: statement.excluded[name] for name in rows[0] if name != "sku"}
        await connection.execute(statement.on_conflict_do_update(index_elements=[_P.sku], set_=changes), rows)


async def _stored(connection: AsyncConnection, batch: Sequence[CatalogueProduct]) -> dict[str, Row[Any]]:
    """Rows of these products by the sku that they will have.

    A product that came from a card has its barcode as sku. The shop's own sku replaces it when a file brings one.
    """
    query = select(PRODUCTS).where(_P.sku.in_([product.sku for product in batch]))
    stored = {row.sku: row for row in await connection.execute(query)}
    new = [product for product in batch if product.sku not in stored]
    numbers = {gtin: product.sku for product in new if (gtin := gtin_of(product.barcode))}
    if not numbers:
        return stored
    cards = select(PRODUCTS).where(_P.gtin.in_(list(numbers)), _P.sku == _P.barcode, _P.source == "card")
    for row in (await connection.execute(cards)).all():
        sku = numbers.pop(row.gtin, None)
        if sku is not None:
            await connection.execute(update(PRODUCTS).where(_P.id == row.id).values(sku=sku))
            stored[sku] = row
    return stored


async def _of_card(connection: AsyncConnection, card: CatalogueProduct) -> Row[Any] | None:
    """The product that a card describes: the one it became before, else the one with its barcode."""
    gtin = gtin_of(card.barcode)
    same = or_(_P.card == card.card, and_(_P.gtin == gtin, _P.gtin != ""), _P.sku == card.sku)
    query = select(PRODUCTS).where(same).order_by((_P.card == card.card).desc(), _P.removed_at.is_(None).desc(), _P.id)
    return (await connection.execute(query.limit(1))).first()


def _over(before: Row[Any], card: CatalogueProduct) -> CatalogueProduct:
    """The stored product with what the card knows; an older card changes nothing but its mark."""
    stored = _product(before)
    if stored.updated_at > card.updated_at:
        return replace(stored, card=card.card)
    known = {name: value for name in _OF_CARDS if (value := getattr(card, name)) not in ("", None)}
    return replace(stored, **known, card=card.card, updated_at=card.updated_at)


async def _remove_others(connection: AsyncConnection, products: Sequence[CatalogueProduct], revision: int) -> int:
    kept = {product.sku for product in products}
    query = select(_P.id, _P.sku).where(_P.source == "import", _P.removed_at.is_(None))
    gone = [row.id for row in await connection.execute(query) if row.sku not in kept]
    now = max((product.updated_at for product in products), default=None)
    for batch in _batches(gone, _AT_ONCE):
        values = {"removed_at": now, "updated_at": now, "revision": revision}
        await connection.execute(update(PRODUCTS).where(_P.id.in_(batch)).values(**values))
    return len(gone)


async def _latest_revision(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.max(_P.revision)))).scalar() or 0)


def _row(product: CatalogueProduct, revision: int) -> dict[str, Any]:
    return {
        "sku": product.sku,
        "name": product.name,
        "brand": product.brand,
        "size": product.size,
        "price": amount_text(product.price),
        "currency": product.currency,
        "barcode": product.barcode,
        "gtin": gtin_of(product.barcode),
        "stock": amount_text(product.stock),
        "url": product.url,
        "image": product.image,
        "source": product.source,
        "card": product.card,
        "updated_at": product.updated_at,
        "removed_at": None,
        "revision": revision,
    }


def _is_same(before: Row[Any], row: dict[str, Any]) -> bool:
    return all(getattr(before, name) == row[name] for name in ("sku", *FACTS, "source"))


def _product(row: Row[Any]) -> CatalogueProduct:
    texts = {name: getattr(row, name) for name in ("sku", *FACTS, "source", "card", "updated_at")}
    amounts = {name: Decimal(texts[name]) if texts[name] else None for name in ("price", "stock")}
    return CatalogueProduct(**texts | amounts)


def _batches(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest: Iterable[Any] = iter(items)
    while batch := list(islice(rest, size)):
        yield batch

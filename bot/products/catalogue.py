"""Confirmed products in Redis under one hash tag, each with its version, photos and history."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from pydantic import AwareDatetime, Field
from redis.asyncio import Redis

from bot.history import stream
from bot.history.entries import CardConfirmed
from bot.infra.redis import answer, key
from bot.messages.record import Record

_AT_ONCE = 200
_GTIN_DIGITS = 14
_OURS = "products"

# Replaces the version that the person saw, or does nothing; the same confirmation again adds no entry.
# KEYS 1 product, 2 history, 3 index, 4 changes, 5 their count, 6 stream of the history.
# ARGV 1 confirmation, 2 version seen, 3 product, 4 entry, 5 id, 6 when, 7 entry of the stream.
_SAVE = f"""
if redis.call('HEXISTS', KEYS[1], 'by:' .. ARGV[1]) == 1 then return 1 end
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2] + 1, 'product', ARGV[3], 'by:' .. ARGV[1], ARGV[6])
redis.call('RPUSH', KEYS[2], ARGV[4])
redis.call('ZADD', KEYS[3], 'NX', ARGV[6], ARGV[5])
redis.call('ZADD', KEYS[4], redis.call('INCR', KEYS[5]), ARGV[5])
local history, noted = KEYS[6], ARGV[7]
{stream.APPEND_SCRIPT}
return 1
"""


class ProductPhoto(Record):
    """A photo in the storage, and the cut-out of each field that was read in it."""

    key: str
    crops: dict[str, str] = Field(default_factory=dict)


class Product(Record):
    """A card as it was confirmed; `fields` by the names in pipelines.product.FIELDS, an amount as Decimal writes it."""

    id: str
    version: int
    fields: dict[str, str]
    details: dict[str, str] = Field(default_factory=dict)
    photos: tuple[ProductPhoto, ...] = ()
    captured_at: AwareDatetime
    updated_at: AwareDatetime


class CatalogueEntry(Record):
    """A confirmation: `by` is the conversation it came from, `was` the earlier values of the fields it changed."""

    confirmation: str
    by: str
    at: AwareDatetime
    fields: dict[str, str]
    was: dict[str, str | None] = Field(default_factory=dict)
    photos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products belong to the company: when the person who captured one is erased, it stays, because it names nobody."""

    redis: Redis

    async def get(self, product: str) -> Product | None:
        raw = await answer(self.redis.hget(_card(product), "product"))
        return Product.model_validate_json(raw) if raw else None

    async def save(self, product: Product, entry: CatalogueEntry) -> bool:
        """Store a confirmed product once; False when the stored version isn't the one before it."""
        lists = (key(_OURS, name) for name in ("index", "changes", "changed"))
        keys = (_card(product.id), _history(product.id), *lists, stream.HISTORY)
        at = repr(product.captured_at.timestamp())
        seen = str(product.version - 1)
        stored = product.model_dump_json(), entry.model_dump_json()
        texts = (entry.confirmation, seen, *stored, product.id, at, stream.packed(_noted(product, entry)))
        return bool(await answer(self.redis.eval(_SAVE, len(keys), *keys, *texts)))

    async def saved_by(self, product: str, confirmation: str) -> bool:
        """Whether this confirmation has been stored."""
        return bool(await answer(self.redis.hexists(_card(product), f"by:{confirmation}")))

    async def history(self, product: str) -> list[CatalogueEntry]:
        """Oldest first."""
        entries = await answer(self.redis.lrange(_history(product), 0, -1))
        return [CatalogueEntry.model_validate_json(raw) for raw in entries]

    async def all(self) -> AsyncIterator[Product]:
        """Every product, in the order in which they were captured first."""
        start = 0
        while names := await self.redis.zrange(key(_OURS, "index"), start, start + _AT_ONCE - 1):
            for product in await self._read(names):
                yield product
            start += _AT_ONCE

    async def latest_change(self) -> int:
        """Number of confirmations so far, by which others learn that there are new ones."""
        return int(await answer(self.redis.get(key(_OURS, "changed"))) or 0)

    async def changed_since(self, change: int) -> list[Product]:
        """Products confirmed after this number of confirmations; all of them for a negative one."""
        if change < 0:
            return [product async for product in self.all()]
        return await self._read(await self.redis.zrange(key(_OURS, "changes"), f"({change}", "+inf", byscore=True))

    async def _read(self, names: Sequence[str]) -> list[Product]:
        pipeline = self.redis.pipeline(transaction=False)
        for name in names:
            pipeline.hget(_card(name), "product")
        return [Product.model_validate_json(raw) for raw in await pipeline.execute() if raw]


def _noted(product: Product, entry: CatalogueEntry) -> CardConfirmed:
    return CardConfirmed(
        id=f"{product.id}.{product.version}",
        conversation=entry.by,
        at=entry.at,
        product=product.id,
        product_version=product.version,
        fields=entry.fields,
        previous=entry.was,
        photos=entry.photos,
    )


def product_id(fields: dict[str, str], otherwise: str) -> str:
    """Id of a product: its barcode with 14 digits, because GTIN-8 to GTIN-14 differ in leading zeros."""
    barcode = fields.get("barcode")
    if not barcode:
        return otherwise
    if barcode.isdecimal() and len(barcode) <= _GTIN_DIGITS:
        return f"g_{barcode.zfill(_GTIN_DIGITS)}"
    return f"t_{hashlib.sha256(barcode.encode()).hexdigest()[:20]}"


def after(before: Product | None, now: Product, gone: Iterable[str] = ()) -> tuple[Product, dict[str, str | None]]:
    """Merge a new version into the product, and return the earlier values of changed fields.

    A field that is unknown now keeps its value; a field in `gone` loses it, because a person said it has none.
    """
    if before is None:
        return now, {}
    fields = {name: value for name, value in (before.fields | now.fields).items() if name not in gone}
    was = {
        name: before.fields.get(name)
        for name in (*before.fields, *now.fields)
        if before.fields.get(name) != fields.get(name)
    }
    known = {picture.key for picture in now.photos}
    product = now.model_copy(
        update={
            "version": before.version + 1,
            "fields": fields,
            "details": before.details | now.details,
            "photos": (*(photo for photo in before.photos if photo.key not in known), *now.photos),
            "captured_at": before.captured_at,
        }
    )
    return product, was


def _card(product: str) -> str:
    return key(_OURS, "card", product)


def _history(product: str) -> str:
    return key(_OURS, "history", product)

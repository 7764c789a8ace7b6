"""Milliseconds and memory of the search for products: `python -m bench.catalogue [--products N]`."""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import quantiles

import psutil
from redis.asyncio import Redis

from bot.catalogue.card_sync import CardSync
from bot.catalogue.finder import ProductFinder
from bot.catalogue.product import CatalogueProduct
from bot.catalogue.table import ProductTable
from bot.database.engine import Database, open_database
from bot.database.upgrade import upgrade
from bot.products.catalogue import Catalogue
from pipelines.product.vocabulary import KINDS, QUALITIES
from sandbox.redis_server import redis_server

_PRODUCTS, _BRANDS, _QUERIES = 100_000, 4000, 1000
_SYLLABLES = ["la", "ma", "ri", "to", "su", "pe", "ko", "ni", "ba", "lu", "ne", "za", "fer", "gon", "tri"]
_SIZES = ("1 L", "500 g", "355 ml", "250 g", "2 kg", "6 x 355 ml", "1.5 L", "100 pz")
_MEGABYTE = 1024 * 1024


def products(count: int, rng: random.Random) -> list[CatalogueProduct]:
    """Invented products with the words of real ones, thousands of brands, and each a model's number."""
    kinds, qualities, now = sorted(KINDS), sorted(QUALITIES), datetime.now(UTC)
    brands = ["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))).title() for _ in range(_BRANDS)]
    return [
        CatalogueProduct(
            sku=f"S{number}",
            name=f"{rng.choice(kinds)} {' '.join(rng.choices(qualities, k=2))} {rng.choice('abcdef')}{number % 9999}",
            brand=rng.choice(brands),
            size=rng.choice(_SIZES),
            price=Decimal(rng.randint(100, 99_999)).scaleb(-2),
            currency="MXN",
            updated_at=now,
        )
        for number in range(count)
    ]


def questions(stock: list[CatalogueProduct], rng: random.Random) -> list[tuple[str, str]]:
    """Words as people type them: some with a slip, some with a size, some of nothing that there is."""
    asked = []
    for number in range(_QUERIES):
        product = rng.choice(stock)
        words = f"{' '.join(product.name.split()[:2])} {product.brand}" if number % 3 else product.name
        if number % 4 == 0:
            at = rng.randrange(1, len(words) - 1)
            words = words[:at] + words[at + 1 :]
        asked.append(("zapatos para correr" if number % 10 == 9 else words, product.size if number % 5 == 0 else ""))
    return asked


async def measure(count: int, url: str, data: Path) -> None:
    rng = random.Random(7)
    stock = products(count, rng)
    async with redis_server(data / "redis") as redis_url, Redis.from_url(redis_url, decode_responses=True) as redis:
        database = await _opened(url)
        try:
            started = time.perf_counter()
            await ProductTable(database).write(stock)
            _show("stored, s", time.perf_counter() - started)
            before, started = psutil.Process().memory_info().rss, time.perf_counter()
            finder = ProductFinder(_giving(database), CardSync(Catalogue(redis)))
            await finder.by_words("leche")
            _show("first question, s", time.perf_counter() - started)
            _show("memory of the index, MB", (psutil.Process().memory_info().rss - before) / _MEGABYTE)
            taken, found = [], 0
            for words, size in questions(stock, rng):
                started = time.perf_counter()
                answer = await finder.by_words(words, size)
                found += answer.complete and bool(answer.products)
                taken.append((time.perf_counter() - started) * 1000)
            cuts = quantiles(taken, n=100)
            _show("found with all words, %", found * 100 / len(taken))
            _show("p50, ms", cuts[49])
            _show("p95, ms", cuts[94])
            _show("slowest, ms", max(taken))
            await finder.close()
        finally:
            await database.close()


async def _opened(url: str) -> Database:
    database = open_database(url)
    await upgrade(database)
    return database


def _giving(database: Database) -> Callable[[], Awaitable[Database]]:
    async def give() -> Database:
        return database

    return give


def _show(what: str, figure: float) -> None:
    print(f"{what:<36}{figure:>10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=_PRODUCTS)
    parser.add_argument("--database", help="postgresql://…, an empty one; SQLite in a temporary folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{folder}/catalogue.db"
        print(f"{given.products:,} products, {url.partition(':')[0]}")
        asyncio.run(measure(given.products, url, Path(folder)))


if __name__ == "__main__":
    main()

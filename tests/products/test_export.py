"""The catalogue keeps its history, and is exported as CSV, Excel and JSON."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from bot.products.catalogue import Catalogue, CatalogueEntry, Product, ProductPhoto, after, product_id
from bot.products.export import COLUMNS, Listed, exported
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.processes import recado
from tests.products.shelf import CODE, Shop
from tests.world import Start

AT = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/Mexico_City")
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def product(version: int = 1, **fields: str) -> Product:
    name = product_id(fields, "n_1")
    pictures = (ProductPhoto(key="products/d1/1.jpg"),)
    return Product(id=name, version=version, fields=fields, photos=pictures, captured_at=AT, updated_at=AT)


def entry(confirmation: str, **fields: str) -> CatalogueEntry:
    return CatalogueEntry(confirmation=confirmation, by="c_1", at=AT, fields=fields)


LINK = '=HYPERLINK("http://evil")'
EVIL = product(name=LINK, brand="@sum", price="1249.10", currency="MXN", barcode="00012345678905")


def cells(xlsx: bytes) -> list[list[str]]:
    """The sheet as Excel shows it; raises where a cell is a formula."""
    with zipfile.ZipFile(io.BytesIO(xlsx)) as book:
        shared = [
            "".join(text.itertext()) for text in ET.fromstring(book.read("xl/sharedStrings.xml")).iter(f"{_SHEET}si")
        ]
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{_SHEET}f"))
    return [
        [
            shared[int(cell.findtext(f"{_SHEET}v", ""))] if cell.get("t") == "s" else cell.findtext(f"{_SHEET}v", "")
            for cell in row
        ]
        for row in sheet.iter(f"{_SHEET}row")
    ]


def test_csv_is_what_excel_in_mexico_opens_and_starts_no_formula() -> None:
    data = exported([Listed(EVIL)], "csv", ZONE, for_excel=True)
    assert data.startswith(b"\xef\xbb\xbfname,brand,")
    head, row = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert tuple(head) == COLUMNS
    assert row[:2] == ['\'=HYPERLINK("http://evil")', "'@sum"]
    assert row[COLUMNS.index("price")] == "1249.10"
    assert row[COLUMNS.index("captured_at")] == "2026-11-24T12:00:00-06:00"
    assert not exported([Listed(EVIL)], "csv", ZONE).startswith(b"\xef\xbb\xbf")


def test_xlsx_keeps_zeros_of_barcodes_prices_as_numbers_and_formulas_as_text() -> None:
    head, row = cells(exported([Listed(EVIL)], "xlsx", ZONE))
    assert tuple(head) == COLUMNS
    shown = dict(zip(head, row, strict=True))
    assert shown["name"] == '=HYPERLINK("http://evil")'
    assert (shown["barcode"], shown["price"], shown["photos"]) == ("00012345678905", "1249.10", "1")


def test_json_tells_amounts_exactly_and_the_history() -> None:
    (row,) = json.loads(exported([Listed(EVIL, [entry("k1", price="1249.10")])], "json", ZONE))
    assert (row["price"], row["size"], row["photos"]) == ("1249.10", None, 1)
    assert row["history"][0]["by"] == "c_1"
    assert row["files"] == [{"key": "products/d1/1.jpg", "crops": {}}]


@pytest.mark.parametrize("as_", ["csv", "json", "xlsx"])
async def test_the_command_writes_the_catalogue_to_standard_output(start: Start, redis: Redis, as_: str) -> None:
    await start(workers=0)
    await Catalogue(redis).save(product(name="Café", price="35.50", barcode=CODE), entry("k1"))
    ended = await recado("products", "export", "--format", as_)
    assert ended.code == 0
    if as_ == "xlsx":
        assert cells(ended.written)[1][0] == "Café"
        return
    rows = json.loads(ended.out) if as_ == "json" else list(csv.DictReader(io.StringIO(ended.out)))
    assert [(row["name"], row["price"], row["barcode"]) for row in rows] == [("Café", "35.50", CODE)]


async def test_the_command_says_what_is_wrong(start: Start) -> None:
    await start(workers=0)
    wrong = await recado("products", "export", "--format", "pdf")
    assert (wrong.code, wrong.out) == (2, "")
    away = await recado("products", "export", REDIS_URL="redis://127.0.0.1:1")
    assert away.code == 1
    assert "Redis does not answer" in away.err


async def test_staff_get_the_catalogue_as_a_file_in_the_chat(shop: Shop, ana: Person) -> None:
    await Catalogue(shop.world.redis).save(product(name="Café", barcode=CODE), entry("k1"))
    shop.world.models.will(calls(("export_products", {})), says("-"))
    sent = await shop.writes(ana, "mándame el catálogo")
    document = sent.request["document"]
    assert document["filename"].endswith(".xlsx")
    assert document["caption"] == "Productos en el catálogo: 1"
    assert cells(shop.world.meta.media.get(document["id"]).data)[1][0] == "Café"


async def test_one_confirmation_is_one_entry_and_a_version_that_is_gone_is_refused(redis: Redis) -> None:
    catalogue, first = Catalogue(redis), product(name="Café", barcode=CODE)
    assert await catalogue.save(first, entry("k1"))
    assert await catalogue.save(first, entry("k1"))
    assert not await catalogue.save(first, entry("k2"))
    second, was = after(first, product(price="9.00", barcode=CODE))
    assert (second.version, was) == (2, {"price": None})
    assert second.fields == {"name": "Café", "price": "9.00", "barcode": CODE}
    assert await catalogue.save(second, entry("k3"))
    assert [entry.confirmation for entry in await catalogue.history(first.id)] == ["k1", "k3"]
    assert [product.version async for product in catalogue.all()] == [2]


async def test_of_many_who_save_the_same_version_at_once_one_does(redis: Redis) -> None:
    catalogue, card = Catalogue(redis), product(barcode=CODE)
    saved = await asyncio.gather(*(catalogue.save(card, entry(f"k{number}")) for number in range(10)))
    assert sorted(saved) == [False] * 9 + [True]


def test_a_product_is_known_by_its_number_however_many_zeros_are_in_front() -> None:
    assert product_id({"barcode": "012345678905"}, "d") == product_id({"barcode": "0012345678905"}, "d")
    assert product_id({}, "d") == "d"
    assert product_id({"barcode": "A-1"}, "d").startswith("t_")


def test_what_there_is_none_of_goes_from_the_stored_card(tmp_path: Path) -> None:
    before = product(name="Café", brand="X", barcode=CODE)
    now, was = after(before, product(barcode=CODE), ["brand"])
    assert now.fields == {"name": "Café", "barcode": CODE}
    assert was == {"brand": "X"}

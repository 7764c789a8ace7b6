"""`recado catalogue`: a shop's own files, as spreadsheets and accounting programs write them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook
from redis.asyncio import Redis

from bot.catalogue.importer import ReadCatalogue, read_catalogue
from bot.catalogue.product import CatalogueProduct, amount_text
from bot.catalogue.texts import refusal_text
from pipelines.spreadsheet import TableRefused
from tests.processes import recado

CODE = "7501055300075"
UPC = "012345678905"
NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _shop(redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", redis_address)
    monkeypatch.setenv("DEFAULT_LANGUAGE", "en")


async def imported(data: bytes | str, name: str = "productos.csv", *options: str) -> tuple[int, str, str]:
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
    done = await recado("catalogue", "import", name, *options)
    return done.code, done.out, done.err


async def catalogue() -> dict[str, dict[str, str]]:
    done = await recado("catalogue", "export")
    assert done.code == 0, done.err
    return {row["sku"]: row for row in csv.DictReader(io.StringIO(done.out, newline=""))}


def read_here(data: bytes) -> ReadCatalogue:
    return read_catalogue(data, "MXN", NOW, lambda: None)


def sheet(rows: Iterable[Iterable[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


async def test_good_rows_are_taken_and_bad_ones_named_by_number_and_reason() -> None:
    code, out, err = await imported(
        "sku,name,brand,size,price,currency,barcode,stock,url,image\n"
        f"A1,Pan blanco,Bimbo,680 g,45.50,MXN,{CODE},12,https://shop.example/a1,\n"
        "A2,,Bimbo,680 g,45.50,MXN,,,,\n"
        "A3,Leche,Lala,1 L,mucho,MXN,,,,\n"
        "\n"
        "A4,Café,,,30,MXN,7501055300071,,,\n"
        "A1,Otra vez,,,1,MXN,,,,\n"
        "A5,Arroz,,,20,pesotes,,,,\n"
        "A6,Frijol,,,20,MXN,,,javascript:alert(1),\n"
        "A7,Azúcar,,,7.50110E+12,,,,,\n"
        'A8,"Aceite, 1 L",,,"1,249.00",,,0,,\n'
    )
    assert code == 0
    assert out == "2 new, 0 changed, 0 as before; rows left out: 7\n"
    assert err.splitlines() == [
        "row 3: the name is missing",
        "row 4: the price “mucho” is not a number",
        "row 6: the check digit of the barcode “7501055300071” is wrong; correct it or leave it empty",
        "row 7: the sku A1 stands in row 2 already",
        "row 8: the currency “pesotes” is no code of three letters, such as MXN",
        "row 9: the url “javascript:alert(1)” is no address that begins with https://",
        "row 10: the price “7.50110E+12” is not a number",
    ]
    stored = await catalogue()
    assert list(stored) == ["A1", "A8"]
    assert (stored["A8"]["price"], stored["A8"]["currency"], stored["A8"]["stock"]) == ("1249.00", "MXN", "0")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp858"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_separator_and_encoding_that_spreadsheets_write_is_read(encoding: str, separator: str) -> None:
    header = ("Clave", "Descripción", "Marca", "Contenido", "Precio de venta", "Código de barras", "Existencia")
    rows = [header, ("P-1", "Piña en almíbar", "Niño", "850 g", '"$1,249.50"', CODE, "3")]
    text = "\r\n".join(separator.join(row) for row in rows)
    read = read_here(text.encode(encoding))
    assert read.bad == []
    assert read.products == [
        CatalogueProduct(
            "P-1", "Piña en almíbar", "Niño", "850 g", Decimal("1249.50"), "MXN", CODE, Decimal(3), updated_at=NOW
        )
    ]


def test_an_xlsx_keeps_numbers_exact_and_gives_barcodes_their_zeros_back() -> None:
    data = sheet([
        ("sku", "nombre", "precio", "upc", "existencias"),
        (1001, "Tornillo", 0.1, 12345678905, 2.5),
        (),
        ("T-2", "Tuerca", Decimal("19.99"), CODE, -4),
    ])  # fmt: skip
    first, second = read_here(data).products
    assert (first.sku, first.price, first.barcode, first.stock) == ("1001", Decimal("0.1"), UPC, Decimal("2.5"))
    assert (second.price, second.stock) == (Decimal("19.99"), Decimal(0))


def test_amounts_of_a_spreadsheet_are_those_that_people_see_in_it() -> None:
    odd = [18.9 * 3, 0.1 + 0.2, -0.0, 1e-320, 1e308, 2_500]
    read = read_here(
        sheet([("sku", "name", "price"), *((f"A{place}", "Pan", price) for place, price in enumerate(odd))])
    )
    assert [amount_text(product.price) for product in read.products] == ["56.7", "0.3", "0", "2500"]
    assert [(bad.row, bad.reason.problem) for bad in read.bad] == [(5, "no_number"), (6, "out_of_range")]
    assert [amount_text(product.price) for product in read_here(b"sku,name,price\na,Pan,-0\n").products] == ["0"]


async def test_the_same_file_again_changes_nothing_and_an_export_is_a_file_to_import() -> None:
    first = f"sku,name,price,barcode\nA1,=HYPERLINK(1),10,{CODE}\nA2,Té,11.5,\n"
    await imported(first)
    assert (await imported(first))[1] == "0 new, 0 changed, 2 as before\n"
    exported = (await recado("catalogue", "export")).out
    assert ",'=HYPERLINK(1)," in exported
    assert (await imported(exported, "otra.csv"))[1] == "0 new, 0 changed, 2 as before\n"
    assert (await imported("sku,name,price\nA1,Café,12\n"))[1] == "0 new, 1 changed, 0 as before\n"
    stored = (await catalogue())["A1"]
    assert (stored["name"], stored["price"], stored["barcode"]) == ("Café", "12", CODE)


async def test_a_replacing_import_removes_what_the_file_lacks_but_not_for_a_file_with_mistakes() -> None:
    await imported("sku,name\nA1,Uno\nA2,Dos\n")
    code, _, err = await imported("sku,name\nA1,Uno\nA3,\n", "b.csv", "--replace")
    assert code == 1
    assert err.endswith("nothing was changed: --replace needs a file without bad rows\n")
    assert (await imported("sku,name\nA1,Uno\n", "c.csv", "--replace"))[1] == (
        "0 new, 0 changed, 1 as before, 1 removed\n"
    )
    assert list(await catalogue()) == ["A1"]
    assert (await imported("sku,name\nA2,Dos\n", "d.csv"))[1].startswith("1 new")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b"precio,marca\n1,2\n", "the first row has to name the columns: name (nombre)"),
        (b"\xd0\xcf\x11\xe0 old", "this is an old Excel file (.xls); save it as .xlsx or CSV"),
        (b"PK\x03\x04 no zip", "the XLSX can't be opened"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR12345", "the file is neither a text nor an XLSX"),
        (b'sku,name\n"A1,' + b"x" * 200_000, "the file is no readable CSV"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(TableRefused) as refused:
        read_here(data)
    assert refusal_text(refused.value, "en").startswith(why)
    assert refusal_text(refused.value, "es") != refusal_text(refused.value, "en")


def test_a_cell_that_would_unpack_to_gigabytes_is_refused_unread() -> None:
    bomb = io.BytesIO()
    with ZipFile(io.BytesIO(sheet([["sku", "name"]]))) as whole, ZipFile(bomb, "w", ZIP_DEFLATED) as written:
        for name in whole.namelist():
            text = whole.read(name)
            written.writestr(name, text.replace(b"sku", b"sku" * 1_000_000))
    with pytest.raises(TableRefused) as refused:
        read_here(bomb.getvalue())
    assert refusal_text(refused.value, "en").startswith("the XLSX has a longer cell")
    assert refusal_text(refused.value, "es") != refusal_text(refused.value, "en")


async def test_a_file_that_is_refused_or_missing_is_one_line() -> None:
    assert await imported(b"PK\x03\x04 no zip", "a.xlsx") == (
        1, "", "a.xlsx: the XLSX can't be opened; save it again with a spreadsheet program\n",
    )  # fmt: skip
    done = await recado("catalogue", "import", "nowhere.csv")
    assert (done.code, done.err) == (1, "nowhere.csv: No such file or directory\n")


async def test_people_are_told_in_their_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_LANGUAGE", "es")
    code, out, err = await imported("clave,nombre,precio\nA1,Uno,mucho\nA2,Dos,2\n")
    assert (code, out, err) == (
        0,
        "1 nuevos, 0 cambiados, 0 como estaban; filas que no se tomaron: 1\n",
        "fila 2: el precio “mucho” no es un número\n",
    )


async def test_programs_read_the_result_as_json() -> None:
    _, out, _ = await imported("sku,name,price\nA1,Uno,1.249\nA2,Dos,1.249.000\n", "a.csv", "--format", "json")
    result = json.loads(out)
    assert (result["new"], result["bad"]) == (
        1,
        [{"row": 2, "reason": "the price “1.249” can be read in two ways; write it without thousands' points"}],
    )


async def test_a_database_that_is_away_is_told_in_a_line() -> None:
    Path("a.csv").write_text("sku,name\nA1,Uno\n", encoding="utf-8")
    away = await recado("catalogue", "import", "a.csv", DATABASE_URL="postgresql://127.0.0.1:9/recado")
    assert away.code == 1
    assert away.err.startswith("the database does not answer (")
    assert len(away.err.splitlines()) == 1

"""Customers ask for products: by words with slips, by codes, by a photo; answers come from the catalogue as data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.catalogue.search import ProductWords
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.processes import recado
from tests.products.shelf import CODE, OTHER_CODE, Shop
from tests.rows import each

FILE = f"""\
sku,name,brand,size,price,currency,barcode,stock,url
L1,Leche entera,Lala,1 L,28.50,MXN,{CODE},12,https://shop.example/l1
L2,Leche deslactosada,Lala,1 L,31.00,MXN,,0,
L3,Leche entera,Alpura,1.5 L,39.90,MXN,,4,
C1,Refresco de cola,Coca-Cola,600 ml,18,MXN,,40,
J-1,Jabón de tocador,Zote,200 g,22,MXN,012345678905,,
S1,*Salsa* verde,Herdez,210 g,,MXN,,,
"""


@dataclass(frozen=True)
class Listed:
    """A product in the index."""

    id: int
    name: str
    brand: str = ""
    size: str = ""


SHELF = (
    Listed(1, "Leche entera", "Lala", "1 L"),
    Listed(2, "Leche deslactosada", "Lala", "1 L"),
    Listed(3, "Leche entera", "Alpura", "1500 ml"),
    Listed(4, "Refresco de cola", "Coca-Cola", "600 ml"),
    Listed(5, "Jabón de tocador", "Zote", "200 g"),
    Listed(6, "Detergente líquido", "Lunaria", "3 L"),
    Listed(7, "Piña en almíbar", "Del Monte", "850 g"),
    Listed(8, "Huevo blanco 30 pz", "San Juan"),
    Listed(9, "Galletas", "Marías Gamesa", "170 g"),
    Listed(11, "Agua natural", "Marina", "1 L"),
    Listed(12, "Suavizante de telas"),
    Listed(13, "Televisor LED 43"),
)


@each(
    ("asked", "size", "found"),
    [
        ("leche entera lala", "", [1]),
        ("¿Tienen leche Lala?", "", [1, 2]),
        ("lehce deslactosda", "", [2]),
        ("leches enteras", "", [1, 3]),
        ("javon sote", "", [5]),
        ("cocacola", "", [4]),
        ("coca cola", "", [4]),
        ("pina en almibar", "", [7]),
        ("detergente", "3000 ml", [6]),
        ("deterg liq", "", [6]),
        ("leche", "litro y medio", []),
        ("leche 1.5 litros", "", [3]),
        ("leche 1L", "", [1, 2]),
        ("güevo", "", [8]),
        ("30 huevos", "", [8]),
        ("galleta maria", "", [9]),
        ("galletitas", "", [9]),
        ("agua", "", [11]),
        ("aguacate", "", []),
        ("harina", "", []),
        ("tele", "", [13]),
        ("bicicleta", "", []),
        ("", "", []),
        ("de la", "", []),
    ],
)
def test_words_are_found_with_slips_endings_and_other_spellings(asked: str, size: str, found: list[int]) -> None:
    hits = ProductWords(SHELF).search(asked, size)
    assert sorted(hit.product for hit in hits.best if hit.complete) == found


def test_what_has_not_all_of_the_words_is_only_similar() -> None:
    hits = ProductWords(SHELF).search("leche entera Zarzamora")
    assert {hit.product for hit in hits.best} >= {1, 3}
    assert not any(hit.complete for hit in hits.best)


def test_changed_products_take_the_place_of_their_old_words_and_removed_ones_go() -> None:
    index = ProductWords(SHELF).with_changes([Listed(1, "Yogur natural", "Lala"), Listed(10, "Leche entera")], [3])
    assert index is not None
    assert [hit.product for hit in index.search("leche entera").best] == [10]
    assert [hit.product for hit in index.search("yogurt").best] == [1]


async def asked(shop: Shop, person: Person, text: str, **arguments: Any) -> dict[str, Any]:
    """The tool's result, when the model looks for products with these arguments."""
    shop.world.models.will(calls(("find_products", arguments)), says("-"))
    await shop.writes(person, text)
    return result(shop)


def result(shop: Shop) -> dict[str, Any]:
    (told,) = [
        message["content"] for message in shop.world.models.requests[-1]["messages"] if message["role"] == "tool"
    ][-1:]
    return dict(json.loads(told))


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    Path("productos.csv").write_text(FILE, encoding="utf-8")
    assert (await recado("catalogue", "import", "productos.csv")).code == 0
    return shop


async def test_price_stock_and_date_come_as_data_and_a_product_s_own_page_may_be_named(
    stocked: Shop, customer: Person
) -> None:
    stocked.world.models.will(
        calls(("find_products", {"words": "leche entera lala"})), says("Cuesta *28.50*: https://shop.example/l1")
    )
    reply = await stocked.writes(customer, "¿cuánto cuesta la leche entera lala?")
    (product,) = result(stocked)["products"]
    assert (product["price"], product["stock"], product["sku"]) == ("28.50 MXN", "12", "L1")
    assert product["as_of"].startswith("20")
    assert reply.text == "Cuesta *28.50*: https://shop.example/l1"


async def test_several_matches_are_a_list_to_tap_and_the_tap_says_which(stocked: Shop, customer: Person) -> None:
    stocked.world.models.will(calls(("find_products", {"words": "leche"})), says("-"))
    menu = await stocked.writes(customer, "¿tienen leche?")
    assert result(stocked)["list"]
    rows = menu.request["interactive"]["action"]["sections"][0]["rows"]
    assert {row["title"] for row in rows} == {"Leche entera", "Leche deslactosada"} or len(rows) == 3
    row = rows[-1]
    assert row["description"] == "Lala · 1 L · 31.00 MXN · L2"
    stocked.world.models.will(says("Ésa está agotada."))
    await stocked.world.meta.writes(
        customer, {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": row}}
    )
    await stocked.after(customer, 1)
    assert (
        "Leche deslactosada: Lala · 1 L · 31.00 MXN · L2"
        in stocked.world.models.requests[-1]["messages"][-1]["content"]
    )


async def test_a_code_is_found_in_each_of_its_forms_and_an_unknown_product_is_not_made_up(
    stocked: Shop, customer: Person
) -> None:
    for code in ("012345678905", "0012345678905", "00012345678905", "0 12345 67890 5", "J-1"):
        found = await asked(stocked, customer, f"busco {code}", code=code)
        assert [product["sku"] for product in found["products"]] == ["J-1"]
        assert found["products"][0]["stock"] == "unknown"
    nothing = await asked(stocked, customer, "¿tienen bicicletas?", words="bicicletas")
    assert nothing["products"] == []
    assert "name no price" in nothing["note"]
    unpriced = await asked(stocked, customer, "salsa verde", words="salsa verde")
    assert unpriced["products"][0]["price"] == "unknown: don't guess it"


async def test_a_customer_s_photo_is_looked_up_by_its_code_and_else_by_its_words(
    stocked: Shop, customer: Person
) -> None:
    look = calls(("find_products", {"photo": True}))
    stocked.world.models.will(look, says("Sí, la tenemos."))
    await stocked.sends(customer, stocked.shelf.code(), caption="¿tienen éste?")
    assert [product["sku"] for product in result(stocked)["products"]] == ["L1"]
    assert result(stocked)["found_by"] == "code in the photo"
    stocked.world.models.will(look, says("Sí."))
    front = stocked.shelf.photo(("Zote", 55), ("Jabón de tocador", 30))
    await stocked.sends(customer, front, caption="¿y éste?")
    assert [product["sku"] for product in result(stocked)["products"]] == ["J-1"]
    stocked.world.models.will(look, says("No."))
    await stocked.sends(customer, stocked.shelf.code(OTHER_CODE), caption="¿y éste?")
    assert result(stocked)["products"] == []


async def test_a_card_that_staff_confirm_can_be_asked_for_at_once_and_gives_a_product_its_new_price(
    stocked: Shop, ana: Person, customer: Person
) -> None:
    assert (await asked(stocked, customer, "¿detergente?", words="detergente lunaria"))["products"] == []
    new = await stocked.sends(ana, stocked.shelf.front(), stocked.shelf.tag(), stocked.shelf.code(OTHER_CODE))
    await stocked.taps(ana, new)
    (product,) = (await asked(stocked, customer, "¿detergente?", words="detergente lunaria"))["products"]
    assert (product["price"], product["barcode"]) == ("35.50 MXN", OTHER_CODE)
    known = await stocked.sends(ana, stocked.shelf.code(), stocked.shelf.tag("$29.90"))
    await stocked.taps(ana, known)
    found = await asked(stocked, customer, f"¿{CODE}?", code=CODE)
    assert [(product["sku"], product["price"], product["stock"]) for product in found["products"]] == [
        ("L1", "29.90 MXN", "12")
    ]
    Path("later.csv").write_text(f"sku,name,price,barcode\nD1,Detergente Lunaria,34,{OTHER_CODE}\n", encoding="utf-8")
    later = await recado("catalogue", "import", "later.csv", DEFAULT_LANGUAGE="en")
    assert later.out == "0 new, 1 changed, 0 as before\n"
    rows = (await recado("catalogue", "export")).out.splitlines()
    assert [row for row in rows if OTHER_CODE in row] == [f"D1,Detergente Lunaria,LUNARIA,3 L,34,MXN,{OTHER_CODE},,,"]
    assert sum(CODE in row for row in rows) == 1


async def test_the_tool_is_offered_to_customers_and_a_database_that_is_away_is_told(
    shop: Shop, customer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("data").mkdir()
    Path("data/recado.db").write_text("this is no database")
    shop.world.models.will(calls(("find_products", {"words": "leche"})), says("Ahora no puedo consultarlo."))
    reply = await shop.writes(customer, "¿tienen leche?")
    assert reply.text == "Ahora no puedo consultarlo."
    told = shop.world.models.requests[-1]["messages"][-1]["content"]
    assert told == "Error: the catalogue can't be reached now. Say so, guess no price, and offer a person"
    assert "find_products" in {tool["function"]["name"] for tool in shop.world.models.requests[0]["tools"]}

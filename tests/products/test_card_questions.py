"""Cards that ask: which code, whether it is a product, what is missing; and words that answer while a card is open."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bot.products.catalogue import Catalogue
from sandbox.meta.simulator import Person
from tests.products.counter import Counter, body, titles
from tests.products.shelf import CODE, OTHER_CODE, Shop

THIRD_CODE = "7506306213432"
RECEIPT = (
    ("ABARROTES LUPITA", 30), ("RFC: ALU800101AB1", 18), ("Ticket 00123", 18), ("1 LECHE LALA 28.50", 18),
    ("2 PAN BLANCO 91.00", 18), ("SUBTOTAL 119.50", 18), ("IVA 0.00", 18), ("TOTAL 119.50", 18),
    ("EFECTIVO 150.00", 18),
)  # fmt: skip
PAGE = tuple(
    (f"las partes acuerdan que el contrato numero {number} sigue vigente por un plazo", 16) for number in range(8)
)

POSTER, QR = (("Escanea y conecta", 40), ("al wifi de la tienda", 30)), "WIFI:T:WPA;S:tienda;P:secreto;;"


async def fields(redis: Redis) -> list[dict[str, str]]:
    return [product.fields async for product in Catalogue(redis).all()]


async def test_the_surest_code_is_offered_first_whichever_photo_it_was_in(counter: Counter) -> None:
    printed = await counter.photo(counter.shelf.photo((THIRD_CODE, 24), ("Detergente", 30)))
    assert f"Código: {THIRD_CODE} (foto 1, 73 %) ⚠️" in body(await counter.sees(printed))
    doubtful = await counter.photo(counter.shelf.code(CODE, digits=OTHER_CODE))
    asked = await counter.sees(doubtful)
    assert "Las fotos no coinciden. ¿Cuál es el dato correcto de «Código»?" in body(asked)
    assert titles(asked) == [THIRD_CODE, CODE, OTHER_CODE, "Otro", "Descartar"]
    assert f"Código: {THIRD_CODE} (dicho por ti)" in body(await counter.taps(asked, THIRD_CODE))


async def test_sure_bars_are_not_doubted_for_digits_elsewhere(counter: Counter) -> None:
    photos = [await counter.photo(picture) for picture in (counter.shelf.photo((THIRD_CODE, 24)), counter.shelf.code())]
    assert f"Código: {CODE} (foto 2, 99 %)\n" in body(await counter.sees(*photos))


async def test_two_codes_of_one_photo_are_codes_and_two_prices_are_not_photos(counter: Counter) -> None:
    both = await counter.photo(counter.shelf.photo((CODE, 24), (OTHER_CODE, 24)))
    asked = await counter.sees(both)
    assert "En la foto hay varios códigos. ¿Cuál es el del producto?" in body(asked)
    assert "Las fotos" not in body(asked)
    assert "Descartado" in (await counter.taps(asked, "Descartar")).text
    prices = await counter.sees(await counter.photo(counter.shelf.photo(("Pan", 30), ("$35.50", 60), ("$38.00", 60))))
    assert "En la foto hay más de uno. ¿Cuál es el dato correcto de «Precio»?" in body(prices)


async def test_saving_without_name_or_price_asks_and_then_saves_as_it_is_or_complete(
    counter: Counter, redis: Redis
) -> None:
    await counter.sees(await counter.photo(counter.shelf.code()))
    asked = await counter.saves()
    assert asked.text == "A la ficha le falta: Nombre, Precio. Escríbelo, o guárdala así."
    (card,) = asked.parts
    assert [choice.title for choice in card.choices] == ["Guardar así", "Descartar"]  # type: ignore[union-attr]
    assert await fields(redis) == []
    assert "Nombre: Pan blanco (dicho por ti)" in body(await counter.says("Pan blanco"))
    assert (await counter.saves(key="recado-2")).text.startswith("A la ficha le falta: Precio.")
    assert "Precio: 19.00 MXN (dicho por ti)" in body(await counter.says("diecinueve"))
    assert (await counter.saves(key="recado-3")).text.startswith("✅ Guardado")
    await counter.sees(await counter.photo(counter.shelf.code(OTHER_CODE)))
    await counter.saves(key="recado-4")
    assert (await counter.saves(key="recado-5", incomplete=True)).text.startswith("✅ Guardado")
    assert [field.get("price") for field in await fields(redis)] == ["19.00", None]


async def test_what_the_catalogue_knows_or_the_person_denies_is_not_missing(counter: Counter) -> None:
    front_and_code = [await counter.photo(picture) for picture in (counter.shelf.front(), counter.shelf.code())]
    await counter.sees(*front_and_code)
    await counter.says("no tiene precio")
    assert (await counter.saves()).text.startswith("✅ Guardado")


@pytest.mark.parametrize(
    ("lines", "qr", "asked"),
    [
        (RECEIPT, None, "Esto parece un ticket o una factura. ¿Es un producto?"),
        (PAGE, None, "Esto parece una página de texto. ¿Es un producto?"),
        (POSTER, QR, "Esto parece un cartel con un código QR. ¿Es un producto?"),
    ],
)
async def test_what_does_not_look_like_a_product_is_asked_about(
    counter: Counter, redis: Redis, lines: tuple[tuple[str, int], ...], qr: str | None, asked: str
) -> None:
    question = await counter.sees(await counter.photo(counter.shelf.photo(*lines, qr=qr)))
    assert body(question) == asked
    assert titles(question) == ["Sí, es un producto", "No"]
    assert (await counter.says("no")).text == "De acuerdo, no hago ficha. ¿Qué necesitas con la foto?"
    assert "ya se cerró" in (await counter.taps(question, "Sí, es un producto")).text
    again = await counter.sees(await counter.photo(counter.shelf.photo(*lines, qr=qr)))
    assert body(await counter.taps(again, "Sí, es un producto")).startswith("*Ficha del producto*")
    assert await fields(redis) == []


@pytest.mark.parametrize(
    ("lines", "qr", "seems"),
    [(POSTER, QR, "parece un cartel con un código QR"), (PAGE, None, "parece una página de texto")],
)
async def test_what_is_no_product_leaves_an_open_card_as_it_is_and_says_so(
    counter: Counter, lines: tuple[tuple[str, int], ...], qr: str | None, seems: str
) -> None:
    card = body(await counter.sees(await counter.photo(counter.shelf.front())))
    shown = await counter.sees(await counter.photo(counter.shelf.photo(*lines, qr=qr)))
    assert shown.text.startswith(f"Foto 2: {seems}. ¿Es un producto? No la agregué, y la ficha abierta queda igual.")
    assert body(shown) == card
    named = await counter.sees(await counter.photo(counter.shelf.photo(*lines, qr=qr), "detergente Lunaria"))
    assert named.text == ""
    beside = await counter.sees(
        await counter.photo(counter.shelf.tag()), await counter.photo(counter.shelf.photo(*PAGE[:-1], *PAGE[:3]))
    )
    assert beside.text == ""


async def test_a_caption_that_names_the_product_settles_what_it_is(counter: Counter) -> None:
    card = await counter.sees(await counter.photo(counter.shelf.photo(*PAGE), "cuaderno profesional $45"))
    assert "Nombre: cuaderno profesional (dicho por ti)" in body(card)
    assert "Precio: 45.00 MXN (dicho por ti)" in body(card)


async def test_a_receipt_beside_a_product_is_left_out_and_another_photo_answers_the_question(counter: Counter) -> None:
    card = await counter.sees(
        await counter.photo(counter.shelf.photo(*RECEIPT)), await counter.photo(counter.shelf.front())
    )
    assert card.text == "Foto 1: parece un ticket, así que no la agregué a la ficha."
    assert "Contenido: 3 L (foto 2, " in body(card)
    await counter.says("cancela")
    await counter.sees(await counter.photo(counter.shelf.photo(*RECEIPT)))
    assert "28.50" not in body(await counter.sees(await counter.photo(counter.shelf.tag())))


async def test_every_card_can_be_discarded(counter: Counter) -> None:
    async def shown() -> list[str]:
        return titles(await counter.sees(await counter.photo(counter.shelf.front())))

    assert (await shown())[-1] == "Descartar"
    typed = await counter.says("el código está mal")
    assert titles(typed) == ["Descartar"]
    empty = await counter.says("no tiene nombre")
    assert titles(empty)[-1] == "Descartar"
    assert (await counter.taps(empty, "Descartar")).text == "Descartado, no guardé nada."
    assert await counter.captures.open_draft("c_" + "0" * 20) is None


async def test_name_and_price_of_a_caption_are_the_persons(counter: Counter) -> None:
    card = await counter.sees(await counter.photo(counter.shelf.tag(), "Detergente Lunaria rosa a diecinueve pesos"))
    assert "Nombre: Detergente Lunaria rosa (dicho por ti)" in body(card)
    assert "Precio: 19.00 MXN (dicho por ti)" in body(card)
    remark = await counter.sees(await counter.photo(counter.shelf.front(), "mira esta foto"))
    assert "Detergente Lunaria rosa (dicho por ti)" in body(remark)


@pytest.mark.parametrize("said", ["no, 19", "diecinueve pesos", "no, diecinueve", "nineteen pesos", "son 19 pesos"])
async def test_a_price_is_understood_while_a_card_is_open(counter: Counter, said: str) -> None:
    await counter.sees(await counter.photo(counter.shelf.tag()))
    assert "Precio: 19.00 MXN (dicho por ti)" in body(await counter.says(said))


async def test_a_bare_number_is_the_price_that_the_card_lacks_and_nothing_else(counter: Counter) -> None:
    await counter.sees(await counter.photo(counter.shelf.front()))
    assert (await counter.says("gracias")).messages == ()
    assert "Precio: 19.00 MXN (dicho por ti)" in body(await counter.says("19"))
    assert (await counter.says("20")).messages == ()


async def test_a_photo_that_can_not_be_read_goes_by_its_number(shop: Shop, ana: Person) -> None:
    broken = b"\xff\xd8\xff\xe0 no photo"
    card = await shop.sends(ana, shop.shelf.front(), broken, shop.shelf.tag())
    assert card.text.startswith("Foto 2: No pude abrir el archivo que mandaste.")
    assert "Precio: 35.50 MXN (foto 3, " in card.text
    assert (await shop.sends(ana, broken)).text.startswith("Foto 4: No pude abrir el archivo que mandaste.")
    await shop.writes(ana, "cancela")
    both = await shop.sends(ana, broken, broken + b"!")
    assert [line[:7] for line in both.text.splitlines() if line] == ["Foto 1:", "Foto 2:"]

"""Staff photograph products: cards, questions, and products stored by a tap."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from redis.asyncio import Redis

from bot.conversations.contacts import Contacts
from bot.products.catalogue import Catalogue
from sandbox.meta.simulator import Person, SentMessage
from sandbox.simulators.openrouter import calls, says
from sandbox.simulators.whisper import ScriptedTranscription
from tests.outgoing import conversation_of
from tests.processes import recado
from tests.products.shelf import CODE, OTHER_CODE, Open, Shop, buttons, titles


async def catalogue(shop: Shop) -> list[dict[str, str]]:
    return [product.fields async for product in Catalogue(shop.world.redis).all()]


async def picks(shop: Shop, person: Person, row: dict[str, str]) -> SentMessage:
    """The reply to a tap on a row of a list."""
    before = len(shop.sent(person))
    reply = {"type": "list_reply", "list_reply": row}
    await shop.world.meta.writes(person, {"type": "interactive", "interactive": reply})
    return (await shop.after(person, before))[-1]


async def let_expire(redis: Redis) -> None:
    """Put the draft's end into the past, as a quarter of an hour would."""
    async for name in redis.scan_iter("*:draft:*", _type="string"):
        kept = json.loads(await redis.get(name))
        await redis.set(name, json.dumps(kept | {"until": 0}))


async def test_an_album_is_one_card_and_a_tap_saves_it_once(shop: Shop, ana: Person, tmp_path: Path) -> None:
    card = await shop.sends(ana, shop.shelf.front(), shop.shelf.tag(), shop.shelf.code())
    assert len(shop.sent(ana)) == 1
    assert titles(card) == ["Guardar", "Descartar"]
    lines = card.text.splitlines()
    assert lines[0] == "*Ficha del producto*"
    assert lines[1].startswith("Nombre: Detergente líquido (foto ")
    assert re.fullmatch(r"Precio: 35\.50 MXN \(foto 2, \d\d %\)", lines[4])
    assert lines[5] == f"Código: {CODE} (foto 3, 99 %)"
    assert await catalogue(shop) == []
    saved = await shop.taps(ana, card)
    assert saved.text == (
        f"✅ Guardado en el catálogo: Detergente líquido · LUNARIA · 3 L · 35.50 MXN · {CODE}\n"
        "Manda la foto del siguiente producto."
    )
    assert "Ya habías contestado" in (await shop.taps(ana, card)).text
    (event,) = await shop.captured()
    data = event["data"]
    assert (data["name"], data["price"], data["currency"], data["barcode"]) == (
        "Detergente líquido",
        "35.50",
        "MXN",
        CODE,
    )
    assert data["contact"]["phone"] == ana.phone
    assert event["times"] == 1
    files = {path.name for path in (tmp_path / "files/products").rglob("*.jpg")}
    assert {"1.jpg", "2.jpg", "3.jpg", "1-name.jpg", "1-size.jpg", "2-price.jpg", "3-barcode.jpg"} <= files
    assert shop.world.models.requests == []


async def test_a_tap_on_a_card_counts_while_a_colleague_has_the_conversation(shop: Shop, ana: Person) -> None:
    card = await shop.sends(ana, shop.shelf.front(), shop.shelf.tag(), shop.shelf.code())
    await Contacts(shop.world.redis).set_handed_off(await conversation_of(shop.world, ana), handed_off=True)
    assert (await shop.taps(ana, card)).text.startswith("✅ Guardado en el catálogo: Detergente líquido")
    assert [product["barcode"] for product in await catalogue(shop)] == [CODE]


async def test_a_later_photo_goes_on_with_the_card_and_the_older_one_shows_the_current(shop: Shop, ana: Person) -> None:
    first = await shop.sends(ana, shop.shelf.front())
    assert "Precio: falta ⚠️" in first.text
    second = await shop.sends(ana, shop.shelf.tag())
    assert "Detergente" in second.text
    assert "Precio: 35.50 MXN (foto 2" in second.text
    shown = await shop.taps(ana, first)
    assert shown.text.startswith("Esa ficha ya cambió. Esta es la actual:")
    assert "35.50" in shown.text
    assert await catalogue(shop) == []
    await shop.taps(ana, shown)
    assert [product["price"] for product in await catalogue(shop)] == ["35.50"]


async def test_a_price_without_a_currency_is_in_that_of_the_shop(open_shop: Open, ana: Person) -> None:
    shop = await open_shop(SHOP_CURRENCY="ars")
    card = await shop.sends(ana, shop.shelf.tag())
    assert "Precio: 35.50 ARS (foto 1" in card.text


async def test_the_same_photo_again_is_neither_read_nor_paid_again(shop: Shop, ana: Person) -> None:
    photo = shop.shelf.tag()
    await shop.sends(ana, photo)
    reads = list(shop.shelf.reads)
    card = await shop.sends(ana, photo)
    assert "35.50 MXN (foto 1" in card.text
    assert shop.shelf.reads == reads


async def test_prices_that_do_not_agree_are_asked_and_the_answer_holds(shop: Shop, ana: Person) -> None:
    asked = await shop.sends(ana, shop.shelf.tag("$35.50"), shop.shelf.tag("$38.00"), shop.shelf.code())
    assert "Las fotos no coinciden. ¿Cuál es el dato correcto de «Precio»?" in asked.text
    assert asked.text.endswith("Si es otro, escríbelo.")
    assert titles(asked)[-1] == "Descartar"
    assert sorted(titles(asked)[:-1]) == ["35.50", "38.00"]
    card = await shop.taps(ana, asked, titles(asked).index("38.00"))
    assert "Precio: 38.00 MXN (dicho por ti)" in card.text
    assert (await shop.taps(ana, asked)).text.startswith("Esa ficha ya cambió. Esta es la actual:")
    await shop.sends(ana, shop.shelf.tag("$99.00"))
    await shop.taps(ana, shop.sent(ana)[-1])
    assert [product["price"] for product in await catalogue(shop)] == ["38.00"]
    assert "Esa ficha ya se cerró" in (await shop.taps(ana, asked)).text


async def test_another_answer_than_those_offered_is_typed(shop: Shop, ana: Person) -> None:
    await shop.sends(ana, shop.shelf.tag("$35.50"), shop.shelf.tag("$38.00"))
    card = await shop.writes(ana, "36")
    assert "Precio: 36.00 MXN (dicho por ti)" in card.text


async def test_more_answers_than_buttons_are_a_list(shop: Shop, ana: Person) -> None:
    prices = ("35.50", "36.00", "38.00")
    asked = await shop.sends(ana, *(shop.shelf.tag(f"${price}") for price in prices))
    rows = asked.request["interactive"]["action"]["sections"][0]["rows"]
    assert [row["title"] for row in rows][-2:] == ["Otro", "Descartar"]
    assert {row["title"] for row in rows[:-2]} == set(prices)
    typed = await picks(shop, ana, next(row for row in rows if row["title"] == "Otro"))
    assert typed.text.endswith("¿Cuál es: Precio? Escríbelo, por favor.")
    assert titles(typed) == ["Descartar"]
    assert "Precio: 37.00 MXN (dicho por ti)" in (await shop.writes(ana, "37")).text
    again = await picks(shop, ana, next(row for row in rows if row["title"] == "36.00"))
    assert again.text.startswith("Esa ficha ya cambió.")


async def test_a_correction_may_be_spoken(shop: Shop, ana: Person, media: Callable[[str], bytes]) -> None:
    await shop.sends(ana, shop.shelf.front())
    transcript = {"text": "El precio es 36.50.", "language": "spanish", "duration": 2}
    shop.world.whisper.will(ScriptedTranscription(status=200, body=json.dumps(transcript)))
    await shop.world.meta.sends_media(ana, "audio", media("voice/es_ticket.ogg"), "audio/ogg; codecs=opus")
    assert "Precio: 36.50 MXN (dicho por ti)" in (await shop.after(ana, 1))[-1].text


async def test_bars_and_digits_that_differ_are_asked(shop: Shop, ana: Person) -> None:
    asked = await shop.sends(ana, shop.shelf.code(CODE, digits=OTHER_CODE))
    assert "Las barras dicen un número y los dígitos impresos otro" in asked.text
    assert titles(asked) == [CODE, OTHER_CODE, "Descartar"]
    card = await shop.taps(ana, asked)
    assert f"Código: {CODE} (dicho por ti)" in card.text


async def test_what_a_person_says_is_never_overwritten_by_a_photo(shop: Shop, ana: Person) -> None:
    await shop.sends(ana, shop.shelf.front())
    card = await shop.writes(ana, "el precio es 36 y la marca es Bimbo")
    assert "Precio: 36.00 MXN (dicho por ti)" in card.text
    card = await shop.sends(ana, shop.shelf.tag("$35.50"))
    assert "36.00" in card.text
    assert "Marca: Bimbo (dicho por ti)" in card.text
    card = await shop.writes(ana, "el código está mal")
    assert card.text.endswith("¿Cuál es: Código? Escríbelo, por favor.")
    wrong = await shop.writes(ana, CODE[:-1] + "1")
    assert "no tiene un dígito de control válido" in wrong.text
    card = await shop.writes(ana, CODE)
    assert f"Código: {CODE} (dicho por ti)" in card.text
    await shop.taps(ana, card)
    (stored,) = await catalogue(shop)
    assert (stored["price"], stored["brand"], stored["barcode"]) == ("36.00", "Bimbo", CODE)
    assert shop.world.models.requests == []


async def test_the_model_may_pass_on_a_correction_but_only_what_was_said(shop: Shop, ana: Person) -> None:
    await shop.sends(ana, shop.shelf.front())
    said = "oye, a esto le subieron y ahora anda en 41.90 según me dijeron"
    shop.world.models.will(
        calls(("correct_product", {"field": "price", "value": "45.00"})),
        calls(("correct_product", {"field": "price", "value": "41.90"})),
        says("-"),
    )
    card = await shop.writes(ana, said)
    assert "41.90" in card.text
    assert titles(card) == ["Guardar", "Descartar"]
    refused = [message["content"] for message in shop.world.models.requests[1]["messages"] if message["role"] == "tool"]
    assert "did not say '45.00'" in refused[0]
    assert "<open_product_card>" in shop.world.models.requests[0]["messages"][-1]["content"]


async def test_tools_for_products_are_there_for_staff_alone_and_corrections_only_with_an_open_card(
    shop: Shop, ana: Person, customer: Person
) -> None:
    shop.world.models.will(says("Hola."), says("Hola."), says("Muchas cosas."))
    for person in (ana, customer):
        await shop.writes(person, "hola, ¿qué tal?")
    await shop.sends(ana, shop.shelf.front())
    await shop.writes(ana, "¿qué sabes hacer?")
    offered = [
        {tool["function"]["name"] for tool in request["tools"]} & {"correct_product", "export_products"}
        for request in shop.world.models.requests
    ]
    assert offered == [{"export_products"}, set(), {"correct_product", "export_products"}]


async def test_a_customers_photo_is_talked_about_and_never_captured(shop: Shop, customer: Person) -> None:
    shop.world.models.will(says("Es un detergente."))
    reply = await shop.sends(customer, shop.shelf.front(), shop.shelf.tag(), shop.shelf.code())
    assert reply.text == "Es un detergente."
    assert not [name async for name in shop.world.redis.scan_iter("*draft*")]


async def test_staff_who_ask_or_show_something_else_talk_with_the_assistant(shop: Shop, ana: Person) -> None:
    shop.world.models.will(says("Cuesta 35.50."), says("Qué bonito."))
    asked = await shop.sends(ana, shop.shelf.tag(), caption="¿esto cuánto cuesta?")
    assert asked.text == "Cuesta 35.50."
    assert (await shop.sends(ana, shop.shelf.view())).text == "Qué bonito."


async def test_a_question_beside_the_photos_is_answered_above_the_card(shop: Shop, ana: Person) -> None:
    shop.world.models.will(says("Abrimos a las nueve."))
    await shop.world.meta.sends_media(ana, "image", shop.shelf.front(), "image/jpeg")
    reply = await shop.writes(ana, "¿a qué hora abrimos mañana?")
    assert reply.text.startswith("Abrimos a las nueve.\n\n*Ficha del producto*")
    assert titles(reply) == ["Guardar", "Descartar"]


async def test_another_code_starts_the_next_card_and_both_can_be_saved(shop: Shop, ana: Person) -> None:
    first = await shop.sends(ana, shop.shelf.front(), shop.shelf.tag(), shop.shelf.code())
    second = await shop.sends(ana, shop.shelf.code(OTHER_CODE), shop.shelf.tag("$12.00"))
    assert second.text.startswith("Es otro código, así que empecé otra ficha. La anterior no está guardada")
    assert f"Código: {OTHER_CODE} (foto 1" in second.text
    await shop.taps(ana, second)
    await shop.taps(ana, first)
    assert [product["barcode"] for product in await catalogue(shop)] == [OTHER_CODE, CODE]


async def test_otra_starts_the_next_card(shop: Shop, ana: Person) -> None:
    await shop.sends(ana, shop.shelf.front())
    reply = await shop.writes(ana, "Otra")
    assert reply.text.startswith("Manda las fotos del siguiente producto. La ficha anterior no está guardada")
    card = await shop.sends(ana, shop.shelf.tag("$12.00"))
    assert "Precio: 12.00 MXN (foto 1" in card.text


async def test_a_caption_says_something_of_its_photo(shop: Shop, ana: Person) -> None:
    card = await shop.sends(ana, shop.shelf.front(), caption="el precio es 36")
    assert "Precio: 36.00 MXN (dicho por ti)" in card.text
    other = await shop.sends(ana, shop.shelf.tag("$12.00"), caption="otra")
    assert other.text.startswith("La ficha anterior no está guardada: toca «Guardar» en ella si la quieres.")
    assert "Precio: 12.00 MXN (foto 1" in other.text


async def test_a_card_is_saved_by_a_tap_alone(shop: Shop, ana: Person) -> None:
    await shop.sends(ana, shop.shelf.front())
    card = await shop.writes(ana, "guardar")
    assert card.text.startswith("Para guardar, toca el botón de la ficha.")
    assert titles(card) == ["Guardar", "Descartar"]
    assert await catalogue(shop) == []


async def test_a_storage_that_is_away_keeps_the_card_good(open_shop: Open, ana: Person, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where the folder should be")
    shop = await open_shop(STORAGE_DIR=str(tmp_path / "full"))
    card = await shop.sends(ana, shop.shelf.front(), shop.shelf.tag())
    assert (await shop.taps(ana, card)).text.startswith("No pude guardar las fotos")
    assert await catalogue(shop) == []
    (tmp_path / "full").unlink()
    assert (await shop.taps(ana, card)).text.startswith("✅ Guardado")


async def test_a_cancelled_card_saves_nothing_and_can_not_be_saved_later(shop: Shop, ana: Person) -> None:
    card = await shop.sends(ana, shop.shelf.front())
    assert (await shop.writes(ana, "cancela")).text == "Descartado, no guardé nada."
    assert "Esa ficha ya se cerró" in (await shop.taps(ana, card)).text
    other = await shop.sends(ana, shop.shelf.code())
    assert (await shop.taps(ana, other, -1)).text == "Descartado, no guardé nada."
    assert await catalogue(shop) == []


async def test_who_goes_on_with_an_expired_card_is_told_once(shop: Shop, ana: Person) -> None:
    await shop.sends(ana, shop.shelf.front())
    await let_expire(shop.world.redis)
    reply = await shop.writes(ana, "el precio es 36")
    assert reply.text == "La ficha anterior venció sin guardarse.\n\nManda las fotos otra vez."
    await shop.sends(ana, shop.shelf.front())
    await let_expire(shop.world.redis)
    card = await shop.sends(ana, shop.shelf.tag())
    assert card.text.startswith("La ficha anterior venció sin guardarse.")
    assert "35.50 MXN (foto 1" in card.text


async def test_a_known_barcode_shows_the_difference_and_asks_which_holds(shop: Shop, ana: Person) -> None:
    await shop.taps(ana, await shop.sends(ana, shop.shelf.front(), shop.shelf.tag("$35.50"), shop.shelf.code()))
    card = await shop.sends(ana, shop.shelf.code(), shop.shelf.tag("$38.00"))
    assert card.text.startswith("*Este código ya está en el catálogo*")
    assert "Precio: 35.50 MXN → *38.00 MXN* (foto 2" in card.text
    assert "Contenido: 3 L (del catálogo)" in card.text
    assert titles(card) == ["Guardar lo nuevo", "Dejar como estaba"]
    assert "queda como estaba" in (await shop.taps(ana, card, -1)).text
    assert [product["price"] for product in await catalogue(shop)] == ["35.50"]
    await shop.taps(ana, await shop.sends(ana, shop.shelf.code(), shop.shelf.tag("$38.00")))
    (stored,) = await catalogue(shop)
    assert (stored["price"], stored["size"]) == ("38.00", "3 L")
    first, second = await shop.captured(2)
    assert (first["data"]["previous"], second["data"]["previous"]["price"]) == ({}, "35.50")
    assert Decimal(second["data"]["price"]) == 38


async def test_two_staff_have_their_own_cards_and_the_second_sees_what_the_first_saved(
    shop: Shop, ana: Person, bea: Person
) -> None:
    of_ana = await shop.sends(ana, shop.shelf.code(), shop.shelf.tag("$35.50"))
    of_bea = await shop.sends(bea, shop.shelf.code(), shop.shelf.tag("$39.00"))
    await shop.taps(ana, of_ana)
    reply = await shop.taps(bea, of_bea)
    assert reply.text.startswith("Mientras tanto alguien guardó este código. Revisa la diferencia:")
    assert "35.50 MXN → *39.00 MXN*" in reply.text
    assert [product["price"] for product in await catalogue(shop)] == ["35.50"]
    await shop.taps(bea, reply)
    assert [product["price"] for product in await catalogue(shop)] == ["39.00"]
    (product,) = [product async for product in Catalogue(shop.world.redis).all()]
    assert [entry.was for entry in await Catalogue(shop.world.redis).history(product.id)][-1]["price"] == "35.50"


async def test_another_person_can_not_tap_somebody_elses_card(shop: Shop, ana: Person, customer: Person) -> None:
    card = await shop.sends(ana, shop.shelf.front())
    reply = await shop.taps(customer, card)
    assert "ya no vale" in reply.text
    assert await catalogue(shop) == []


async def test_a_photo_that_can_not_be_opened_is_told_beside_the_card(shop: Shop, ana: Person) -> None:
    card = await shop.sends(ana, b"\xff\xd8\xff\xe0 no photo", shop.shelf.front())
    assert "No pude abrir el archivo que mandaste" in card.text
    assert buttons(card)
    assert "Detergente" in card.text


async def test_in_english_the_card_speaks_english(shop: Shop, ana: Person) -> None:
    shop.world.models.will(says("Hello!"))
    await shop.writes(ana, "hello, how are you?")
    card = await shop.sends(ana, shop.shelf.tag())
    assert titles(card) == ["Save", "Discard"]
    assert "Price: 40.00" in (await shop.writes(ana, "the price is 40")).text


async def test_erasing_the_person_leaves_the_products_and_does_not_name_them(
    shop: Shop, ana: Person, tmp_path: Path
) -> None:
    await shop.taps(ana, await shop.sends(ana, shop.shelf.front(), shop.shelf.tag(), shop.shelf.code()))
    assert (await recado("contacts", "erase", "--yes", str(ana.phone))).code == 0
    assert [product["barcode"] for product in await catalogue(shop)] == [CODE]
    reply = await recado("products", "export", "--format", "json")
    assert not [identifier for identifier in (ana.phone, ana.bsuid, ana.name) if str(identifier) in reply.out]
    assert list((tmp_path / "files/products").rglob("*.jpg"))

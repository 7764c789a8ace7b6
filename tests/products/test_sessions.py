"""Turns of a session without a server: second tries, albums, codes, and unrelated taps."""

from __future__ import annotations

from datetime import UTC, datetime

from redis.asyncio import Redis

from bot.conversations.contacts import Contact
from bot.messages.inbound import Inbound, Tap
from bot.products.capture_message import CaptureMessage
from bot.products.card_text import chosen
from bot.products.catalogue import Catalogue
from bot.products.draft_store import CapturedTurn
from tests.products.counter import MINE, Counter, body, turn_of
from tests.products.shelf import CODE, OTHER_CODE


async def test_a_turn_that_is_done_again_after_a_crash_is_the_same_card(counter: Counter) -> None:
    front = await counter.photo(counter.shelf.front())
    first = await counter.sees(front, turn="t_1")
    assert await counter.sees(front, turn="t_1") == first
    assert await counter.sees(await counter.photo(counter.shelf.tag()), turn="t_2") != first
    draft = await counter.captures.open_draft(MINE)
    assert draft is not None
    assert len(draft.photos) == 2


async def test_a_caption_answers_no_question_that_came_after_it(counter: Counter) -> None:
    codes = [
        await counter.photo(counter.shelf.code(CODE), "Pasta 24 pesos"),
        await counter.photo(counter.shelf.code(OTHER_CODE)),
    ]
    card = body(await counter.sees(*codes))
    assert "Nombre: Pasta (dicho por ti)" in card
    assert "Precio: 24.00 MXN (dicho por ti)" in card
    assert "¿Cuál es el dato correcto de «Código»?" in card


async def test_an_album_with_two_codes_is_asked_about(counter: Counter) -> None:
    codes = [await counter.photo(counter.shelf.code(code)) for code in (CODE, OTHER_CODE)]
    asked = await counter.sees(*codes)
    assert "¿Cuál es el dato correcto de «Código»?" in body(asked)


async def test_a_code_of_the_shop_itself_does_not_start_another_product(counter: Counter) -> None:
    await counter.sees(await counter.photo(counter.shelf.code()))
    card = await counter.sees(await counter.photo(counter.shelf.code("2000010007509")))
    assert "otro código" not in card.text
    assert CODE in body(card)


async def test_a_product_has_ten_photos_at_most(counter: Counter) -> None:
    photos = [await counter.photo(counter.shelf.tag()) for _ in range(11)]
    card = await counter.sees(*photos)
    assert card.text == "Ya son 10 fotos de este producto; no agregué más."
    assert len(card.messages) == 11


async def test_only_our_own_taps_answer_a_question(counter: Counter) -> None:
    await counter.sees(await counter.photo(counter.shelf.front()))
    for name in ("product.x", "product.d.1.price.0.1", "product.d.x.price.0", "product.d.1.colour.0", "do.x"):
        assert chosen(name) is None
        assert (await counter.sees((Tap(id=name, title="x"), "", None))).messages == ()
    reply = await counter.sees((Tap(id="product.d.1.price.0", title="x"), "", None))
    assert reply.text == "Esa ficha ya se cerró. Manda las fotos otra vez si la necesitas."


async def test_customers_and_words_without_a_card_are_not_its_business(counter: Counter, redis: Redis) -> None:
    assert await counter.says("el precio es 36") == CapturedTurn()
    assert await counter.says("otra") == CapturedTurn()
    front = await counter.photo(counter.shelf.front())
    now = datetime.now(UTC)
    message = Inbound(id="m", sent_at=now, received_at=now, content=front[0])
    taken = await counter.captures.capture(MINE, turn_of("t", Contact()), [CaptureMessage(message, "", front[2])])
    assert taken == CapturedTurn()
    assert await redis.dbsize() == 0


async def test_who_is_not_staff_any_more_can_not_save(counter: Counter, redis: Redis) -> None:
    card = await counter.sees(await counter.photo(counter.shelf.front()))
    assert await counter.confirms(card, Contact(role="customer")) == (
        "Esa ficha ya se cerró. Manda las fotos otra vez si la necesitas."
    )
    assert [product async for product in Catalogue(redis).all()] == []


async def test_after_a_save_the_next_photo_is_of_the_next_product(counter: Counter, redis: Redis) -> None:
    both = [await counter.photo(photo) for photo in (counter.shelf.front(), counter.shelf.tag())]
    assert "✅" in await counter.confirms(await counter.sees(*both))
    assert (await counter.says("otra")).text == "Manda las fotos del siguiente producto."
    card = await counter.sees(await counter.photo(counter.shelf.tag("$12.00")))
    assert "Marca: LUNARIA" not in body(card)
    assert "✅" in await counter.confirms(card, key="recado-2")
    assert len([product async for product in Catalogue(redis).all()]) == 2
    assert len({name for _, _, name in counter.published}) == 2


async def test_none_of_it_is_a_value_too(counter: Counter) -> None:
    await counter.sees(await counter.photo(counter.shelf.front()))
    card = await counter.says("no tiene marca")
    assert "Marca: no tiene\n" in body(card)
    assert "Marca: Bimbo (dicho por ti)" in body(await counter.says("la marca es Bimbo"))


async def test_marks_of_whatsapp_in_a_value_do_not_dress_up_the_card(counter: Counter) -> None:
    await counter.sees(await counter.photo(counter.shelf.front()))
    assert "Nombre: Pan blanco (dicho por ti)" in body(await counter.says("el nombre es *Pan* _blanco_"))

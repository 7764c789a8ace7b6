"""Turns of a session without a server: second tries, albums, codes, and unrelated taps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.conversations.confirmations import ConfirmedAction
from bot.conversations.contacts import Contact
from bot.messages.inbound import Content, Inbound, Photo, Tap, Text
from bot.messages.outbound import Buttons, Say
from bot.products.capture_turn import CaptureMessage
from bot.products.card_reader import PhotoTurn
from bot.products.card_text import chosen
from bot.products.catalogue import Catalogue
from bot.products.draft_store import CapturedTurn
from bot.products.factory import captures_of
from bot.storage.local import LocalStorage
from bot.turns.trace import count
from pipelines.image import PhotoText, read_photo
from pipelines.product import ProductCard, card_of_photo_texts
from tests.products.shelf import CODE, OTHER_CODE, Shelf

MINE = f"c_{'0' * 20}"
STAFF = Contact(role="staff")


@dataclass
class ByRules:
    """Makes cards without a model."""

    shelf: Shelf
    shop_currency: str = "MXN"

    async def card_of(
        self, conversation: str, photo_texts: Sequence[PhotoText], turn: PhotoTurn, *, name_stated: bool
    ) -> ProductCard:
        return await card_of_photo_texts(photo_texts, read_text=self.shelf.read, shop_currency=self.shop_currency)


class Counter:
    """A member of staff at work; `published` are the events for subscribers."""

    def __init__(self, redis: Redis, folder: Path) -> None:
        self.published: list[tuple[str, dict[str, Any], str]] = []
        self.shelf = Shelf()
        self.captures, self.confirming = captures_of(redis, LocalStorage(folder), self._publish, ByRules(self.shelf))
        self._turns = 0

    async def sees(self, *contents: tuple[Content, str, PhotoText | None], turn: str | None = None) -> CapturedTurn:
        self._turns += 1
        name = turn or f"t{self._turns}"
        now = datetime.now(UTC)
        incoming = [
            CaptureMessage(Inbound(id=f"{name}-{at}", sent_at=now, received_at=now, content=content), words, photo_text)
            for at, (content, words, photo_text) in enumerate(contents)
        ]
        return await self.captures.take(MINE, turn_of(name), incoming)

    async def photo(self, photo: bytes, caption: str = "") -> tuple[Content, str, PhotoText | None]:
        return Photo(media_id="m", caption=caption), caption, await read_photo(photo, read_text=self.shelf.read)

    async def says(self, text: str) -> CapturedTurn:
        return await self.sees((Text(body=text), text, None))

    async def confirms(self, card: CapturedTurn, contact: Contact = STAFF, key: str = "recado-1") -> str:
        """Reply to a tap on the card."""
        draft = await self.captures.open_draft(MINE)
        assert draft is not None
        stored = await self.captures.services.card_messages.stored(draft)
        action = {"draft": draft.id, "revision": draft.revision, "version": stored.version if stored else 0}
        tapped = ConfirmedAction(MINE, contact, "es", action, key, begun=False, begin=self._begin)
        return (await self.confirming.confirm(tapped)).text

    async def _publish(self, event: str, data: dict[str, Any], name: str) -> None:
        self.published.append((event, data, name))

    async def _begin(self) -> None:
        pass


def turn_of(name: str, contact: Contact = STAFF) -> PhotoTurn:
    return PhotoTurn(name, contact, "es", until=math.inf, book=count)


@pytest.fixture
def counter(redis: Redis, tmp_path: Path) -> Counter:
    return Counter(redis, tmp_path)


def body(captured: CapturedTurn) -> str:
    (part,) = captured.parts
    assert isinstance(part, Buttons | Say)
    return part.body


async def test_a_turn_that_is_done_again_after_a_crash_is_the_same_card(counter: Counter) -> None:
    front = await counter.photo(counter.shelf.front())
    first = await counter.sees(front, turn="t_1")
    assert await counter.sees(front, turn="t_1") == first
    assert await counter.sees(await counter.photo(counter.shelf.tag()), turn="t_2") != first
    draft = await counter.captures.open_draft(MINE)
    assert draft is not None
    assert len(draft.photos) == 2


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
    taken = await counter.captures.take(MINE, turn_of("t", Contact()), [CaptureMessage(message, "", front[2])])
    assert taken == CapturedTurn()
    assert await redis.dbsize() == 0


async def test_who_is_not_staff_any_more_can_not_save(counter: Counter, redis: Redis) -> None:
    card = await counter.sees(await counter.photo(counter.shelf.front()))
    assert await counter.confirms(card, Contact(role="customer")) == (
        "Esa ficha ya se cerró. Manda las fotos otra vez si la necesitas."
    )
    assert [one async for one in Catalogue(redis).all()] == []


async def test_after_a_save_the_next_photo_is_of_the_next_product(counter: Counter, redis: Redis) -> None:
    assert "✅" in await counter.confirms(await counter.sees(await counter.photo(counter.shelf.front())))
    assert (await counter.says("otra")).text == "Manda las fotos del siguiente producto."
    card = await counter.sees(await counter.photo(counter.shelf.tag("$12.00")))
    assert "Marca: LUNARIA" not in body(card)
    assert "✅" in await counter.confirms(card, key="recado-2")
    assert len([one async for one in Catalogue(redis).all()]) == 2
    assert len({name for _, _, name in counter.published}) == 2


async def test_none_of_it_is_a_value_too(counter: Counter) -> None:
    await counter.sees(await counter.photo(counter.shelf.front()))
    card = await counter.says("no tiene marca")
    assert "Marca: no tiene\n" in body(card)
    assert "Marca: Bimbo (dicho por ti)" in body(await counter.says("la marca es Bimbo"))


async def test_marks_of_whatsapp_in_a_value_do_not_dress_up_the_card(counter: Counter) -> None:
    await counter.sees(await counter.photo(counter.shelf.front()))
    assert "Nombre: Pan blanco (dicho por ti)" in body(await counter.says("el nombre es *Pan* _blanco_"))

"""A model names products that the rules can't, only with words that were read on the photos."""

from __future__ import annotations

from bot.ai.vision import COST_USD_PER_PHOTO
from bot.products.card_reader import named
from pipelines.bounding_box import BoundingBox
from pipelines.product import card_from
from pipelines.product.vocabulary import plain
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import fails, says
from tests.pipelines.cards import line, photo_text
from tests.products.shelf import Open, Shop
from tests.rows import each

DONUTS = [
    photo_text(line("Totis", 100, 100, 90)),
    photo_text(line("DONITAS", 100, 100, 60), line("con chia", 100, 200, 30)),
]


def front(shop: Shop) -> bytes:
    """A package whose words name no kind of thing that the rules know."""
    return shop.shelf.photo(("TOTIS", 55), ("Donitas", 30), ("con chia <b>", 20))


async def test_the_name_is_the_models_where_its_words_were_read(shop: Shop, ana: Person) -> None:
    shop.world.models.will(says("Donitas con chía."))
    card = await shop.sends(ana, front(shop))
    assert "Nombre: Donitas con chía (foto 1, 70 %) ⚠️" in card.text
    (request,) = shop.world.models.requests
    instructions, said = (message["content"] for message in request["messages"])
    assert said == "<text_read>\nTOTIS\nDonitas\ncon chia &lt;b&gt;\n</text_read>"
    assert "never an instruction" in instructions
    assert "tools" not in request


async def test_a_name_that_was_not_read_is_not_taken(shop: Shop, ana: Person) -> None:
    shop.world.models.will(says("Donitas de maíz"))
    card = await shop.sends(ana, front(shop))
    assert "Nombre: Donitas (foto 1, " in card.text
    assert "maíz" not in card.text


async def test_without_an_answer_the_name_is_what_was_read(shop: Shop, ana: Person) -> None:
    shop.world.models.will(*[fails(402)] * 2)
    card = await shop.sends(ana, front(shop))
    assert "Nombre: Donitas (foto 1, " in card.text
    assert len(shop.world.models.requests) == 2


async def test_what_nobody_may_pay_for_is_not_asked(open_shop: Open, ana: Person) -> None:
    shop = await open_shop(BUDGET_CONTACT_USD_DAY=str(COST_USD_PER_PHOTO))
    card = await shop.sends(ana, front(shop))
    assert "Nombre: Donitas (foto 1, " in card.text
    assert shop.world.models.requests == []


async def test_a_name_that_a_person_said_is_not_asked_about(shop: Shop, ana: Person) -> None:
    shop.world.models.will(says("NONE"))
    await shop.sends(ana, front(shop))
    await shop.writes(ana, "el nombre es Botana de trigo")
    card = await shop.sends(ana, shop.shelf.photo(("Nueva receta", 40)))
    assert "Nombre: Botana de trigo (dicho por ti)" in card.text
    assert len(shop.world.models.requests) == 1


@each("answer", ["Donitas con chía", '"DONITAS CON CHÍA".', "Donitas", "  donitas  con  chia\n"])
def test_an_answer_whose_words_were_all_read_is_the_name(answer: str) -> None:
    before = card_from(DONUTS)
    card = named(before, DONUTS, answer)
    (doubt,) = (doubt for doubt in card.doubts if doubt.field == "name")
    assert plain(card.fields["name"].value) in {"donitas con chia", "donitas"}
    assert not card.fields["name"].confident
    assert (card.fields["name"].photo, doubt.candidates) == (1, (card.fields["name"],))
    assert card.fields["name"].box in {BoundingBox(100, 100, 210, 130), DONUTS[1].lines[0].box}
    assert card.fields["brand"] == before.fields["brand"]


@each("answer", ["Donitas con sal", "Donut", "NONE", "", "...", "Donitas " * 9, "<b>Donitas</b>"])
def test_any_other_answer_changes_nothing(answer: str) -> None:
    card = card_from(DONUTS)
    assert named(card, DONUTS, answer) is card

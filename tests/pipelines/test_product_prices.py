"""Choice of the price among the amounts of a tag, its confidence, and its rescan."""

from __future__ import annotations

import pytest

from pipelines.bounding_box import BoundingBox
from pipelines.image import TextLine
from pipelines.product import DoubtKind, card_from, card_of_photo_texts
from tests.pipelines.cards import asked, line, photo_text, reads
from tests.rows import each


@each(
    ("lines", "price"),
    [
        ([line("$35.50", 100, 300, 150)], "35.50"),
        ([line("Antes", 100, 100, 40), line("$56.50", 260, 100, 40), line("$48.00", 100, 300, 150)], "48.00"),
        ([line("$56.50", 100, 100, 60), line("$48.00", 100, 300, 150)], "48.00"),
        ([line("$48.00", 100, 300, 150), line("$48.00 / kg", 100, 500, 40)], "48.00"),
        ([line("$39", 100, 300, 150), line("90", 335, 300, 60)], "39.90"),
        ([line("$", 60, 320, 60), line("289.00", 130, 300, 150)], "289.00"),
        ([line("$189.00 / kg", 100, 300, 100)], "189.00"),
        ([line("Ahora", 100, 310, 60), line("$28.00", 300, 300, 80), line("$33.50", 100, 100, 80)], "28.00"),
    ],
)
def test_the_price_is_told_by_words_and_type(lines: list[TextLine], price: str) -> None:
    card = card_from([photo_text(*lines)])
    assert card.fields["price"].value == price
    assert "price" not in asked(card)
    assert card.fields["price"].confident


@each(
    ("lines", "kind", "values"),
    [
        ([line("$35.50", 0, 100, 80), line("$41.00", 500, 100, 80)], DoubtKind.SEVERAL, {"35.50", "41.00"}),
        ([line("$1290", 100, 300, 150)], DoubtKind.CENTS, {"1290", "12.90"}),
        ([line("2x$99", 100, 300, 150)], DoubtKind.FOR_SEVERAL, {"99"}),
        ([line("35.50", 100, 300, 150)], DoubtKind.UNSURE, {"35.50"}),
        ([line("$44.0", 100, 300, 150)], DoubtKind.UNSURE, {"44.0"}),
        ([line("$35.50", 100, 300, 150, confidence=0.6)], DoubtKind.UNSURE, {"35.50"}),
        ([line("$39", 100, 300, 150), line("06", 335, 300, 60)], DoubtKind.CENTS, {"39.90", "39.06"}),
    ],
)
def test_a_price_that_isnt_sure_is_asked_about(lines: list[TextLine], kind: DoubtKind, values: set[str]) -> None:
    card = card_from([photo_text(*lines)])
    asked_kind, candidates = asked(card)["price"]
    assert (asked_kind, set(candidates)) == (kind, values)
    assert not card.fields["price"].confident


@pytest.mark.parametrize(
    "others",
    [
        [line("Antes $45.50 Ahorra $10.00", 100, 500, 40)],
        [line("Precio por litro: $11.83", 100, 500, 40), line("CONT. NET. 3 L", 100, 900, 40)],
    ],
)
def test_sums_that_hold_bear_a_price_out(others: list[TextLine]) -> None:
    alone = card_from([photo_text(line("35.50", 100, 300, 150))])
    held = card_from([photo_text(line("35.50", 100, 300, 150), *others)])
    assert not alone.fields["price"].confident
    assert held.fields["price"].value == "35.50"
    assert held.fields["price"].confident


@each(
    ("text", "shop", "currency"),
    [
        ("$35.50", "MXN", "MXN"),
        ("$35.50", "COP", "COP"),
        ("3,45 €", "MXN", "EUR"),
        ("US$4.99", "MXN", "USD"),
        ("$35.50 M.N.", "USD", "MXN"),
    ],
)
def test_the_currency_is_the_signs_else_the_shops(text: str, shop: str, currency: str) -> None:
    card = card_from([photo_text(line(text, 100, 300, 150))], shop_currency=shop)
    assert card.fields["currency"].value == currency


def test_a_dollar_sign_in_a_shop_of_euros_is_asked_about() -> None:
    card = card_from([photo_text(line("$35.50", 100, 300, 150))], shop_currency="EUR")
    assert asked(card)["currency"] == (DoubtKind.UNSURE, ["EUR"])


async def test_a_price_is_sure_where_two_looks_read_the_same() -> None:
    tag = photo_text(line("$32.60", 100, 300, 150), picture=True)
    for read, sure in (("$32.60", True), ("$3260", True), ("$326.60", False), ("", False)):
        card = await card_of_photo_texts([tag], read_text=reads(read))
        assert card.fields["price"].value == "32.60"
        assert card.fields["price"].confident == sure
        assert ("price" in asked(card)) != sure


async def test_a_price_that_something_else_confirms_is_not_read_again() -> None:
    tag = photo_text(line("$35.50", 100, 300, 150), line("Antes $45.50 Ahorra $10.00", 100, 500, 40), picture=True)
    card = await card_of_photo_texts([tag], read_text=reads(None))
    assert card.fields["price"].confident


async def test_a_photo_without_its_pixels_is_not_read_again() -> None:
    card = await card_of_photo_texts([photo_text(line("$35.50", 100, 300, 150))], read_text=reads(None))
    assert card.fields["price"].value == "35.50"


def test_a_price_below_larger_digits_that_nobody_understands_is_asked_about() -> None:
    card = card_from([photo_text(line("$52.00", 100, 100, 60), line("4#0", 100, 300, 150))])
    assert asked(card)["price"] == (DoubtKind.UNSURE, ["52.00"])


def test_without_a_sign_the_currency_is_asked_about() -> None:
    card = card_from([photo_text(line("Precio 3,45", 100, 300, 150))])
    assert asked(card)["currency"] == (DoubtKind.UNSURE, ["MXN"])


async def test_a_look_that_loses_digits_is_no_better_one() -> None:
    tag = photo_text(line("66", 100, 300, 150), line("Vigencia", 100, 600, 30), picture=True)
    card = await card_of_photo_texts([tag], read_text=reads("6"))
    assert card.fields["price"].value == "66"


def test_a_whole_price_on_its_side_may_have_cents_that_were_not_read() -> None:
    upright = TextLine("$33", 1.0, BoundingBox(300, 100, 150, 300), ((300, 400), (300, 100), (450, 100), (450, 400)))
    card = card_from([photo_text(upright, line("SKU 1", 100, 800, 30), picture=True)])
    assert asked(card)["price"] == (DoubtKind.CENTS, ["33"])


def test_a_price_that_was_read_upside_down_is_asked_about() -> None:
    card = card_from([photo_text(line("00'69$", 100, 300, 150), line("Antes $86.00", 100, 200, 30))])
    assert asked(card)["price"] == (DoubtKind.UNSURE, ["69.00"])

"""Cards of recorded readings of the local engine, good and bad ones."""

from __future__ import annotations

import pytest

from pipelines.image import Reading
from pipelines.product import CONFIDENT, DoubtKind, card_of_photo_texts
from tests.pipelines.cards import asked, recorded, rescans, said, seen


def test_front_tag_and_back_make_one_card() -> None:
    card = recorded("01-front.jpg", "01-tag.jpg", "01-code.jpg")
    assert said(card) == {
        "name": "Detergente líquido",
        "brand": "Lunaria",
        "size": "3 L",
        "price": "35.50",
        "currency": "MXN",
        "barcode": "7503001234564",
    }
    # Only the front has the brand.
    assert asked(card) == {"brand": (DoubtKind.UNSURE, ["Lunaria"])}
    assert card.fields["brand"].photo == 0
    assert (card.fields["price"].photo, card.fields["barcode"].photo) == (1, 2)
    assert card.details["country"] == "MX"
    assert card.details["unit_price"] == "11.83 / L"


def test_a_struck_price_is_not_the_price() -> None:
    card = recorded("05-tag.jpg")
    assert card.fields["price"].value == "48.00"
    assert card.details["former_price"] == "56.50"
    assert "price" not in asked(card)


def test_small_raised_cents_are_cents() -> None:
    card = recorded("28-tag.jpg")
    assert card.fields["price"].value == "39.90"


def test_an_offer_for_two_is_not_the_price() -> None:
    card = recorded("10-tag.jpg")
    assert card.fields["price"].value == "18.50"
    assert card.details["offer"] == "32 / 2"


def test_a_pack_of_six_is_one_size() -> None:
    card = recorded("07-front.jpg", "07-tag.jpg")
    assert said(card)["size"] == "6 x 355 ml"
    assert said(card)["name"] == "Cerveza clara"
    assert said(card)["brand"] == "Solera"


@pytest.mark.parametrize(
    ("photo", "price", "fact", "inside"),
    [("25-scale.jpg", "99.41", "weight_kg", "0.526"), ("26-scale.jpg", "148.80", "price_inside", "148.80")],
)
def test_what_a_scale_put_into_its_code_counts_where_the_label_shows_it(
    photo: str, price: str, fact: str, inside: str
) -> None:
    card = recorded(photo)
    assert card.fields["price"].value == price
    assert card.fields["price"].confident
    assert card.details[fact] == inside


def test_gs1_tells_the_date_and_the_lot() -> None:
    card = recorded("17-front.jpg", "17-code.jpg")
    assert card.fields["barcode"].value == "7504433221108"
    assert (card.details["expires"], card.details["lot"]) == ("2027-11-30", "LT84A")


def test_bars_under_a_thumb_are_told_by_their_digits_and_asked_about() -> None:
    card = recorded("04-front.jpg", "04-code.jpg")
    assert card.fields["barcode"].value == "7506100223316"
    assert not card.fields["barcode"].confident
    assert asked(card)["barcode"][0] is DoubtKind.DIGITS_ONLY


def test_every_unsure_value_is_asked_about() -> None:
    for photos in (["01-front.jpg"], ["10-tag.jpg"], ["25-scale.jpg"], ["32-front.jpg", "32-tag.jpg"]):
        card = recorded(*photos)
        unsure = {name for name, field in card.fields.items() if field.confidence < CONFIDENT}
        assert unsure == {doubt.field for doubt in card.doubts}


async def test_a_price_that_was_read_badly_is_read_again() -> None:
    readings = rescans("32-tag.jpg")
    cuts = []

    async def read(cut: bytes) -> Reading:
        cuts.append(cut)
        return next(readings)

    photo_text = seen("32-tag.jpg")
    card = await card_of_photo_texts([photo_text], read_text=read)
    assert len(cuts) == 1
    assert len(cuts[0]) < len(photo_text.jpeg)
    assert card.fields["price"].value == "289"

"""Photos with the defects of real ones, read by the local engine, on the whole way to the catalogue."""

from __future__ import annotations

import json

import pytest

from bot.products.catalogue import Catalogue
from sandbox.meta.simulator import Person
from tests.paths import ROOT
from tests.products.shelf import Open

PRODUCTS = ROOT / "fixtures/products"


@pytest.mark.xdist_group("ocr")
async def test_three_photos_of_a_product_become_the_card_that_its_label_says(open_shop: Open, ana: Person) -> None:
    shop = await open_shop(GOOGLE_VISION_ENDPOINT="", TURN_QUIET_SECONDS="0.5")
    (truth, *_) = json.loads((PRODUCTS / "labels.json").read_text())
    photos = [(PRODUCTS / name).read_bytes() for name in truth["photos"]]
    card = await shop.sends(ana, *photos)
    saved = await shop.taps(ana, card)
    assert saved.text.startswith("✅ Guardado en el catálogo")
    (product,) = [product async for product in Catalogue(shop.world.redis).all()]
    assert product.fields["barcode"] == truth["truth"]["barcode"]
    assert product.fields["price"] == truth["truth"]["price"]
    assert product.fields["name"] == truth["truth"]["name"]
    assert len(product.photos) == 3

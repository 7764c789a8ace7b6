"""Codes on real packages are read, also from tilted photos, and never a wrong number."""

import io
import json
from collections.abc import Callable

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from pipelines.barcodes import decode, is_gtin
from pipelines.product.codes import code_of
from tests.paths import ROOT
from tests.rows import each

Media = Callable[[str], bytes]
LABELS = json.loads((ROOT / "fixtures" / "media" / "labels.json").read_text(encoding="utf-8"))
# Its bars and digits run together.
ILLEGIBLE = "upca-1_1.jpg"
LEGIBLE = [photo for photo in LABELS["photos"] if photo["file"] != ILLEGIBLE]


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("photo", LEGIBLE, ids=lambda photo: photo["file"])
def test_a_real_photo_is_decoded(media: Media, photo: dict[str, str]) -> None:
    (code,) = decode(picture(media(f"photos/{photo['file']}")))
    assert code.value == (photo["barcode"] or photo["qr"])


@pytest.mark.parametrize("name", [ILLEGIBLE, "nothing_on_it.jpg", "transparent.png"])
def test_no_number_is_made_of_what_is_illegible(media: Media, name: str) -> None:
    assert decode(picture(media(f"photos/{name}"))) == ()


@pytest.mark.parametrize(
    ("name", "form", "value"),
    [
        ("photos/barcode_at_45_degrees.jpg", "EAN-13", "8413000065504"),
        ("photos/tilted.jpg", "EAN-13", "7503001234564"),
        ("photos/on_its_side.jpg", "EAN-13", "7503001234564"),
        ("photos/dim.jpg", "EAN-13", "7503001234564"),
        ("photos/qrcode.webp", "QR Code", r"MEBKM:URL:http\://en.wikipedia.org/wiki/Main_Page;;"),
        ("photos/upca-1_10.jpg", "UPC-A", "027011006951"),
    ],
)
def test_a_hard_photo_is_decoded_too(media: Media, name: str, form: str, value: str) -> None:
    (code,) = decode(picture(media(name)))
    assert (code.format, code.value) == (form, value)


def test_a_code_found_in_the_turned_picture_is_placed_in_the_given_one(media: Media) -> None:
    straight = picture(media("photos/ean13-1_1.jpg"))
    (tilted,) = decode(picture(media("photos/barcode_at_45_degrees.jpg")))
    (code,) = decode(straight)
    # The photo was turned about its middle, (320, 240), which went to the middle of the larger one, (396, 396).
    right, down = code.box.x + code.box.width / 2 - 320, code.box.y + code.box.height / 2 - 240
    half = 2**0.5 / 2
    middle = (tilted.box.x + tilted.box.width / 2, tilted.box.y + tilted.box.height / 2)
    # Because a code is found along one row, its height is inexact.
    assert middle == pytest.approx((396 + half * right + half * down, 396 - half * right + half * down), abs=60)


def test_two_codes_in_one_photo_are_both_read(media: Media) -> None:
    both = Image.new("RGB", (1300, 480), "white")
    for place, name in enumerate(("ean13-1_10", "ean13-1_13")):
        both.paste(picture(media(f"photos/{name}.jpg")), (place * 660, 0))
    assert {code.value for code in decode(both)} == {"8480010001136", "8413600298517"}


@each(
    ("digits", "valid"),
    [
        ("7503001234564", True),
        ("7503001234565", False),
        ("036602301467", True),
        ("96385074", True),
        ("10614141000415", True),
        ("75030012345", False),
        ("75030012345６4", False),
        ("", False),
    ],
)
def test_a_check_digit_is_checked(digits: str, valid: bool) -> None:  # noqa: FBT001 -- a column of the table
    assert is_gtin(digits) is valid


def drawn(*codes: tuple[str, str], scale: int = 4) -> Image.Image:
    """A page with these codes below each other, each its kind and text."""
    bars = [
        zxingcpp.create_barcode(text, zxingcpp.barcode_format_from_str(kind)).to_image(scale=scale)
        for kind, text in codes
    ]
    pictures = [Image.fromarray(np.array(bar)) for bar in bars]
    page = Image.new(
        "L", (max(picture.width for picture in pictures) + 200, sum(picture.height + 120 for picture in pictures)), 255
    )
    height = 60
    for image in pictures:
        page.paste(image, (100, height))
        height += image.height + 120
    return page


@each(
    ("kind", "form", "value"),
    [
        ("Code39", "Code 39", "CLAVE-0042"),
        ("PDF417", "PDF417", "Factura A-2041, Señora Muñoz"),
        ("Code93", "Code 93", "ALMACEN-7"),
        ("Codabar", "Codabar", "A40156B"),
        ("ITF", "ITF", "123456789012"),
        ("ITF14", "ITF", "10614141000415"),
        ("Aztec", "Aztec", "boleto 12"),
        ("DataMatrix", "Data Matrix", "lote 12"),
        ("Code128", "Code 128", "ABC-123"),
    ],
)
def test_every_kind_of_code_that_people_send_is_read(kind: str, form: str, value: str) -> None:
    assert [(code.format, code.value) for code in decode(drawn((kind, value)))] == [(form, value)]


@pytest.mark.parametrize(("kind", "value"), [("Code39", "A1"), ("Codabar", "A12B"), ("ITF", "1234")])
def test_a_few_bars_are_no_code(kind: str, value: str) -> None:
    assert decode(drawn((kind, value))) == ()


LIGHTS = {
    "fog": lambda x, y, white: 120 + white * 10,
    "night": lambda x, y, white: 8 + white * 10,
    "glaring sun": lambda x, y, white: 235 + white * 12,
    "a lamp at one side": lambda x, y, white: 10 + white * 50 * (0.03 + 0.97 * x),
    "half in shadow": lambda x, y, white: 5 + white * (30 + 200 / (1 + np.exp(20 - 20 * (x + y)))),
    "a reflection": lambda x, y, white: 60 + white * 20 + 200 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.05),
    "white on colour": lambda x, y, white: 150 - white * 10,
}


@each("light", LIGHTS)
@each(("kind", "value"), [("EAN13", "7503001234564"), ("Code39", "CLAVE-0042"), ("Code128", "ABC-123")])
def test_a_code_is_searched_again_in_other_light(light: str, kind: str, value: str) -> None:
    page = np.array(drawn((kind, value), scale=3)) / 255
    height, width = page.shape
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    lit = LIGHTS[light](x, y, page) + np.random.default_rng(7).normal(0, 1, page.shape)
    assert [code.value for code in decode(Image.fromarray(np.clip(lit, 0, 255).astype("uint8")))] == [value]


def test_a_code_that_is_not_checked_keeps_no_product_from_being_found(media: Media) -> None:
    tilted = picture(media("photos/barcode_at_45_degrees.jpg")).convert("L")
    # Its corners are white: the photo was turned.
    tilted.paste(drawn(("Code39", "CLAVE-0042"), scale=1).crop((90, 50, 320, 110)), (10, 5))
    assert {code.value for code in decode(tilted)} == {"8413000065504", "CLAVE-0042"}


@each(
    ("kind", "value", "may"),
    [
        ("Code39", "7503001234564", False),
        ("PDF417", "7503001234564", False),
        ("ITF", "12345670", False),
        ("ITF14", "10614141000415", True),
        ("EAN13", "7503001234564", True),
        ("Code128", "7503001234564", True),
    ],
)
def test_only_some_bars_name_a_product_by_digits_alone(kind: str, value: str, may: bool) -> None:  # noqa: FBT001 -- a column of the table
    (code,) = decode(drawn((kind, value)))
    assert code.may_be_gtin is may
    assert bool(code_of(code.value, may_be_gtin=code.may_be_gtin).gtin) is may

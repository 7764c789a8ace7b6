"""Codes on real packages are read, also from tilted photos, and never a wrong number."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pipelines.barcodes import decode, is_gtin

Media = Callable[[str], bytes]
LABELS = json.loads((Path(__file__).parents[2] / "fixtures" / "media" / "labels.json").read_text(encoding="utf-8"))
# Neither its bars nor its digits can be told apart.
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
    # A code is found along one row of it: its height is not told exactly.
    assert middle == pytest.approx((396 + half * right + half * down, 396 - half * right + half * down), abs=60)


def test_two_codes_in_one_photo_are_both_read(media: Media) -> None:
    both = Image.new("RGB", (1300, 480), "white")
    for place, name in enumerate(("ean13-1_10", "ean13-1_13")):
        both.paste(picture(media(f"photos/{name}.jpg")), (place * 660, 0))
    assert {code.value for code in decode(both)} == {"8480010001136", "8413600298517"}


@pytest.mark.parametrize(
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

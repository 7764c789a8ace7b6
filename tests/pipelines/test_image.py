"""Photos of all kinds are read upright, and other files are refused with a reason."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pipelines import image, photo_decoder
from pipelines.bounding_box import BoundingBox
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import Reading, TextLine, read_photo

Media = Callable[[str], bytes]


def opened(jpeg: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(jpeg))
    assert picture.format == "JPEG"
    return picture


class Eye:
    """Keeps its pictures, and reads one line in the lower right corner."""

    def __init__(self) -> None:
        self.shown: list[Image.Image] = []

    async def __call__(self, jpeg: bytes) -> Reading:
        picture = opened(jpeg)
        self.shown.append(picture)
        corner = BoundingBox(picture.width - 100, picture.height - 50, 100, 50)
        return Reading("Precio", (TextLine("Precio", 0.9, corner),), ("Label",))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("label_detergent_q50.jpg", (1280, 740)),
        ("rotated_by_exif.jpg", (1280, 740)),
        ("on_its_side.jpg", (740, 1280)),
        ("large_4000x3000.jpg", (4000, 3000)),
        ("transparent.png", (640, 200)),
        ("words.gif", (640, 200)),
        ("qrcode.webp", (320, 240)),
    ],
)
async def test_a_photo_is_seen_upright_and_in_full_size(media: Media, name: str, size: tuple[int, int]) -> None:
    eye = Eye()
    photo_text = await read_photo(media(f"photos/{name}"), read_text=eye)
    (shown,) = eye.shown
    assert (photo_text.width, photo_text.height) == size
    assert shown.width / shown.height == pytest.approx(size[0] / size[1], rel=0.01)
    assert max(shown.size) == min(max(size), image.SIDE_TO_READ)
    assert max(opened(photo_text.jpeg).size) == min(max(size), image.SIDE_FOR_MODELS)
    assert (photo_text.text, photo_text.labels) == ("Precio", ("Label",))


async def test_boxes_are_in_pixels_of_the_photo_that_came(media: Media) -> None:
    photo_text = await read_photo(media("photos/large_4000x3000.jpg"), read_text=Eye())
    assert photo_text.lines[0].box == BoundingBox(3800, 2900, 200, 100)


async def test_the_copy_for_models_says_nothing_of_place_and_phone(media: Media) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a phone"
    exif.get_ifd(0x8825)[1] = "N"
    written = io.BytesIO()
    Image.open(io.BytesIO(media("photos/nothing_on_it.jpg"))).save(written, "JPEG", exif=exif, comment=b"mine")
    assert b"a phone" in written.getvalue()
    photo_text = await read_photo(written.getvalue(), read_text=None)
    assert not opened(photo_text.jpeg).getexif()
    assert "comment" not in opened(photo_text.jpeg).info


async def test_transparency_becomes_white(media: Media) -> None:
    photo_text = await read_photo(media("photos/transparent.png"), read_text=None)
    assert opened(photo_text.jpeg).getpixel((2, 2)) == (255, 255, 255)


async def test_without_an_engine_codes_are_read_all_the_same(media: Media) -> None:
    photo_text = await read_photo(media("photos/label_tv_photo.jpg"), read_text=None)
    assert [code.value for code in photo_text.barcodes] == ["7501055300075"]
    assert (photo_text.text, photo_text.lines, photo_text.labels) == ("", (), ())


async def test_a_small_code_in_a_large_photo_is_found_where_it_is(media: Media) -> None:
    photo_text = await read_photo(media("photos/large_4000x3000.jpg"), read_text=None)
    (code,) = photo_text.barcodes
    assert code.value == "7501055300075"
    assert 2700 < code.box.x < 2900
    assert 2000 < code.box.y < 2100
    assert 300 < code.box.width < 420


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("photos/bomb.png", FileProblem.BOMB),
        ("photos/large_bomb.png", FileProblem.BOMB),
        ("photos/truncated.jpg", FileProblem.DAMAGED),
        ("photos/iphone.heic", FileProblem.UNREADABLE_FORMAT),
        ("photos/not_a_photo.jpg", FileProblem.NOT_AN_IMAGE),
        ("voice/es_ticket.ogg", FileProblem.NOT_AN_IMAGE),
        ("documents/noise.bin", FileProblem.NOT_AN_IMAGE),
    ],
)
async def test_what_cannot_be_seen_is_refused_with_its_reason(media: Media, name: str, reason: FileProblem) -> None:
    with pytest.raises(FileRefused) as refused:
        await read_photo(media(name), read_text=Eye())
    assert refused.value.reason is reason


async def test_no_bytes_and_too_many_are_refused(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_decoder, "LARGEST_BYTES", 1000)
    for photo, reason in ((b"", FileProblem.EMPTY), (media("photos/words.gif"), FileProblem.TOO_LARGE)):
        with pytest.raises(FileRefused) as refused:
            await read_photo(photo, read_text=None)
        assert refused.value.reason is reason


async def test_an_error_of_the_engine_passes_as_it_is(media: Media) -> None:
    class OutOfOrder(Exception):
        pass

    async def read(_jpeg: bytes) -> Reading:
        raise OutOfOrder

    with pytest.raises(OutOfOrder):
        await read_photo(media("photos/nothing_on_it.jpg"), read_text=read)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of repairs
@pytest.mark.parametrize("name", ["rotated_by_exif.jpg", "transparent.png", "words.gif", "qrcode.webp"])
@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_broken_photo_is_seen_or_refused_but_never_an_accident(
    media: Media, tmp_path: Path, name: str, data: st.DataObject
) -> None:
    photo = bytearray(media(f"photos/{name}"))
    for place in data.draw(st.lists(st.integers(0, min(len(photo), 2000) - 1), min_size=1, max_size=8)):
        photo[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(photo) // 2, len(photo)))
    broken = tmp_path / "broken"
    broken.write_bytes(photo[:cut])
    try:
        picture, size = photo_decoder.upright(broken)
    except FileRefused:
        return
    assert picture.mode == "RGB"
    assert min(size) > 0

"""The local engine reads prices and accents exactly, and its crash leaves the service up."""

import asyncio
import importlib.util
import io
import multiprocessing
from collections.abc import Callable

import pytest
from PIL import Image

from pipelines import ocr
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import read_photo
from pipelines.ocr import EngineMissing, LocalReader

Media = Callable[[str], bytes]
DETERGENT = (
    "Detergente líquido",
    "Limpieza profunda 3 L",
    "Precio: $35.50",
    "Precio por litro: $11.83",
    "SKU DET-3L-0091",
)
TELEVISION = (
    'Televisor LED 43"',
    "Pantalla Smart TV 4K UHD",
    "$1,249.00 MXN",
    "Antes $1,599.00 - Ahorra $350.00",
    "SKU TV-43UHD-22",
)


@pytest.mark.xdist_group("ocr")
@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("label_tv_photo.jpg", TELEVISION),
        ("rotated_by_exif.jpg", DETERGENT),
        ("on_its_side.jpg", DETERGENT),
        ("tilted.jpg", DETERGENT),
        ("dim.jpg", DETERGENT),
        ("transparent.png", ("Café molido $89.90",)),
        ("words.gif", ("Café molido $89.90",)),
        ("nothing_on_it.jpg", ()),
    ],
)
async def test_a_label_is_read_line_by_line(
    media: Media, reader: LocalReader, name: str, lines: tuple[str, ...]
) -> None:
    photo_text = await read_photo(media(f"photos/{name}"), read_text=reader.read)
    read = tuple(line.text for line in photo_text.lines if not line.text.isdecimal())
    assert read == lines
    assert all(line.confidence > 0.9 for line in photo_text.lines)


@pytest.mark.xdist_group("ocr")
async def test_a_line_says_where_it_stands(media: Media, reader: LocalReader) -> None:
    photo_text = await read_photo(media("photos/large_4000x3000.jpg"), read_text=reader.read)
    (price,) = (line for line in photo_text.lines if line.text == "$1,249.00 MXN")
    assert price.box.x == pytest.approx(1900 + 246, abs=20)
    assert price.box.y == pytest.approx(1500 + 350, abs=20)
    assert price.box.width == pytest.approx(977, abs=30)


@pytest.mark.xdist_group("ocr")
async def test_what_stands_at_one_height_is_one_line_of_the_text(media: Media, reader: LocalReader) -> None:
    reading = await reader.read(media("photos/label_tv_photo.jpg"))
    assert reading.text.splitlines()[-1] == "SKU TV-43UHD-22  501055  300075"


@pytest.mark.xdist_group("ocr")
@pytest.mark.parametrize("size", [(1, 1), (2000, 1), (3, 2000)])
async def test_a_strip_too_narrow_for_letters_is_read_as_empty(reader: LocalReader, size: tuple[int, int]) -> None:
    strip = io.BytesIO()
    Image.new("RGB", size, "white").save(strip, "PNG")
    photo_text = await read_photo(strip.getvalue(), read_text=reader.read)
    assert (photo_text.text, photo_text.width, photo_text.height) == ("", *size)


@pytest.mark.xdist_group("ocr")
async def test_a_photo_that_takes_too_long_ends_the_engine_and_a_caller_who_gives_up_does_not(media: Media) -> None:
    reader = LocalReader(seconds=0.01)
    with pytest.raises(FileRefused) as refused:
        await reader.read(media("photos/label_tv_photo.jpg"))
    assert refused.value.reason is FileProblem.TOO_SLOW
    reader._seconds = 60
    assert (await reader.read(media("photos/words.gif"))).text == "Café molido $89.90"
    before = _engines()
    photo = media("photos/label_tv_photo.jpg")
    impatient = asyncio.create_task(reader.read(photo))
    await asyncio.sleep(0.05)
    impatient.cancel()
    assert (await reader.read(photo)).text
    assert before
    assert _engines() == before
    await reader.close()


async def test_a_machine_without_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(EngineMissing, match=r"recado\[ocr\]"):
        await ocr.LocalReader().read(b"")


def _engines() -> set[int | None]:
    return {process.pid for process in multiprocessing.active_children()}

"""Photos become a card by the engine itself, as a library and as a command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pipelines.errors import FileRefused
from pipelines.image import Reading
from pipelines.product import FIELDS, card_of
from tests.pipelines.cards import PHOTOS
from tests.rows import each


async def test_what_is_no_photo_is_refused() -> None:
    async def read(_jpeg: bytes) -> Reading:
        return Reading("")

    with pytest.raises(FileRefused):
        await card_of([b"no photo"], read_text=read)


@pytest.mark.xdist_group("ocr")
def test_the_command_prints_a_card_as_json() -> None:
    photo = str(PHOTOS / "25-scale.jpg")
    run = subprocess.run([sys.executable, "-m", "pipelines.product", photo], capture_output=True, check=True, text=True)
    card = json.loads(run.stdout)
    assert list(card["fields"]) == list(FIELDS)
    assert card["fields"]["price"]["value"] == "99.41"
    assert card["fields"]["price"]["photo"] == 0
    assert set(card["fields"]["price"]["box"]) == {"x", "y", "width", "height"}
    assert card["fields"]["brand"] == {"value": None, "confidence": 0.0, "photo": None, "box": None}


@each(("arguments", "code"), [([], 2), (["--what"], 2), (["--help"], 0), (["missing.jpg"], 1), ([__file__], 1)])
def test_the_command_says_what_is_wrong(arguments: list[str], code: int) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pipelines.product", *arguments], capture_output=True, check=False, text=True
    )
    assert run.returncode == code
    assert "Traceback" not in run.stderr
    assert "pipelines.product" in run.stderr

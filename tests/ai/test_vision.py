"""Google Vision over real gRPC: what is read, what is retried, and what a refusal inside a success means."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from bot.ai import vision
from bot.ai.vision import COST_USD_PER_PHOTO, Vision, VisionFailed
from pipelines.image import read_photo
from sandbox.simulators.vision import VisionFault, VisionSimulator
from tests.paths import ROOT
from tests.photo_reader import CachingPhotoReader

PHOTOS = ROOT / "fixtures" / "media" / "photos"
# gRPC keeps to the loop that it was started in.
in_one_loop = pytest.mark.asyncio(loop_scope="module")
WORDS = "Café molido $89.90"
pytestmark = pytest.mark.xdist_group("ocr")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(photo_reader: CachingPhotoReader) -> AsyncIterator[tuple[VisionSimulator, str]]:
    # Read before anybody counts the seconds: how fast this machine reads is none of these tests' business.
    await read_photo(photo("label_tv_photo.jpg"), read_text=photo_reader.read)
    for name in ("words.gif", "nothing_on_it.jpg"):
        await photo_reader.read(photo(name))
    imitation = VisionSimulator(photo_reader)
    endpoint = await imitation.start()
    yield imitation, endpoint
    await imitation.stop()


@pytest.fixture
def imitation(serving: tuple[VisionSimulator, str]) -> VisionSimulator:
    serving[0].requests.clear()
    return serving[0]


@pytest_asyncio.fixture(loop_scope="module")
async def google(serving: tuple[VisionSimulator, str]) -> AsyncIterator[Vision]:
    google = Vision(endpoint=serving[1], credentials_file=None, project_id=None)
    yield google
    await google.close()


def photo(name: str) -> bytes:
    return (PHOTOS / name).read_bytes()


@in_one_loop
async def test_a_label_is_read_with_its_lines_and_places(google: Vision, imitation: VisionSimulator) -> None:
    photo_text = await read_photo(photo("label_tv_photo.jpg"), read_text=google)
    lines = {line.text: line for line in photo_text.lines}
    assert {'Televisor LED 43"', "Pantalla Smart TV 4K UHD", "Antes $1,599.00 - Ahorra $350.00"} < set(lines)
    price = lines["$1,249.00 MXN"]
    assert price.box.x == pytest.approx(246, abs=10)
    assert price.box.width == pytest.approx(980, abs=15)
    assert price.confidence > 0.9
    assert "$1,249.00 MXN" in photo_text.text.splitlines()
    assert photo_text.labels == ("Text",)
    assert imitation.requests[0].features == ("TEXT_DETECTION", "DOCUMENT_TEXT_DETECTION", "LABEL_DETECTION")


@in_one_loop
async def test_a_photo_without_words_is_read_as_empty(google: Vision) -> None:
    reading = await google(photo("nothing_on_it.jpg"))
    assert (reading.text, reading.lines, reading.labels) == ("", (), ())


@pytest.mark.parametrize("status", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
@in_one_loop
async def test_a_bad_moment_is_waited_out(google: Vision, imitation: VisionSimulator, status: str) -> None:
    imitation.will(VisionFault(status), VisionFault(status))
    assert (await google(photo("words.gif"))).text == WORDS


@in_one_loop
async def test_a_bad_moment_that_lasts_is_a_failure(
    google: Vision, imitation: VisionSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision, "_SECONDS", 0.5)
    faults = [VisionFault("UNAVAILABLE")] * 20
    imitation.will(*faults)
    with pytest.raises(VisionFailed) as failed:
        await google(photo("words.gif"))
    imitation.forget()
    assert failed.value.retryable


@in_one_loop
async def test_a_server_that_does_not_answer_in_time_is_a_failure(
    google: Vision, imitation: VisionSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision, "_SECONDS", 0.5)
    monkeypatch.setattr(vision, "_SECONDS_A_TRY", 0.2)
    imitation.will(*[VisionFault(seconds=30)] * 5)
    with pytest.raises(VisionFailed) as failed:
        await google(photo("words.gif"))
    imitation.forget()
    assert failed.value.retryable


@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT", "INTERNAL"])
@in_one_loop
async def test_what_will_not_pass_is_not_tried_again(google: Vision, imitation: VisionSimulator, status: str) -> None:
    imitation.will(VisionFault(status))
    with pytest.raises(VisionFailed) as failed:
        await google(photo("words.gif"))
    assert not failed.value.retryable


@pytest.mark.parametrize(("code", "retryable"), [(3, False), (7, False), (8, True), (14, True)])
@in_one_loop
async def test_an_error_of_the_photo_inside_a_success_is_a_failure(
    google: Vision,
    imitation: VisionSimulator,
    code: int,
    retryable: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    imitation.will(VisionFault(code=code, message="told inside"))
    with pytest.raises(VisionFailed) as failed:
        await google(photo("words.gif"))
    assert failed.value.retryable is retryable


@pytest.mark.parametrize("content", [b"", b"not a photo", photo("truncated.jpg")])
@in_one_loop
async def test_the_imitation_refuses_bytes_that_are_no_photo(google: Vision, content: bytes) -> None:
    with pytest.raises(VisionFailed, match="code 3"):
        await google(content)


@in_one_loop
async def test_the_imitation_refuses_too_many_photos_at_once(google: Vision) -> None:
    from google.api_core.exceptions import InvalidArgument  # noqa: PLC0415 -- heavy

    request: dict[str, Any] = {"image": {"content": b"x"}, "features": [{"type_": "LABEL_DETECTION"}]}
    with pytest.raises(InvalidArgument, match="Too many images"):
        await google._connected().batch_annotate_images(requests=[request] * 17)


@in_one_loop
async def test_the_imitation_without_an_engine_is_unavailable(
    google: Vision, imitation: VisionSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision, "_SECONDS", 0.3)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(VisionFailed) as failed:
        await google(photo("dim.jpg"))
    assert failed.value.retryable


@in_one_loop
async def test_a_key_file_that_is_not_there_is_a_failure_that_stays() -> None:
    google = Vision(endpoint="vision.googleapis.com:443", credentials_file="/nowhere.json", project_id="p")
    with pytest.raises(VisionFailed) as failed:
        await google(photo("words.gif"))
    await google.close()
    assert not failed.value.retryable


@in_one_loop
async def test_photos_are_read_at_once(google: Vision) -> None:
    readings = await asyncio.gather(*(google(photo("words.gif")) for _ in range(4)))
    assert {reading.text for reading in readings} == {WORDS}


def test_a_photo_costs_a_unit_for_each_feature() -> None:
    assert Decimal("0.0045") == COST_USD_PER_PHOTO

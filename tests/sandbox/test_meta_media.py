"""The lifecycle of a file at Meta: upload, address, download, expiry."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator, Person
    from tests.sandbox.conftest import Business, Clock, Graph

PHOTO = b"\xff\xd8\xff a photo"
MB = 1024 * 1024


async def upload(graph: Graph, data: bytes, mime: str, **fields: str) -> tuple[int, dict[str, Any]]:
    form = aiohttp.FormData()
    for name, value in ({"messaging_product": "whatsapp", "type": mime} | fields).items():
        form.add_field(name, value)
    form.add_field("file", io.BytesIO(data), filename="file", content_type=mime.partition(";")[0])
    async with graph.http.post(f"{graph.base}/v26.0/{graph.meta.phone_number_id}/media", data=form) as response:
        return response.status, await response.json()


async def download(graph: Graph, url: str, **options: Any) -> tuple[int, bytes]:
    async with graph.http.get(url, **options) as response:
        return response.status, await response.read()


async def test_an_uploaded_file_is_resolved_downloaded_and_deleted(graph: Graph) -> None:
    _, uploaded = await upload(graph, PHOTO, "image/jpeg")
    status, found = await graph.get(uploaded["id"])
    assert status == 200
    assert {key: found[key] for key in ("id", "mime_type", "sha256", "file_size")} == {
        "id": uploaded["id"],
        "mime_type": "image/jpeg",
        "sha256": hashlib.sha256(PHOTO).hexdigest(),
        "file_size": len(PHOTO),
    }
    assert await download(graph, found["url"]) == (200, PHOTO)
    async with graph.http.delete(f"{graph.base}/v26.0/{uploaded['id']}") as response:
        assert await response.json() == {"success": True}
    status, answer = await graph.get(uploaded["id"])
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)


async def test_a_download_needs_the_token(graph: Graph) -> None:
    _, uploaded = await upload(graph, PHOTO, "image/jpeg")
    _, found = await graph.get(uploaded["id"])
    assert (await download(graph, found["url"], headers={"Authorization": ""}))[0] == 401


async def test_an_address_lives_five_minutes_and_can_be_had_again(graph: Graph, clock: Clock) -> None:
    _, uploaded = await upload(graph, PHOTO, "image/jpeg")
    _, found = await graph.get(uploaded["id"])
    clock.forward(minutes=4, seconds=59)
    assert (await download(graph, found["url"]))[0] == 200
    clock.forward(seconds=1)
    assert (await download(graph, found["url"]))[0] == 404
    _, found = await graph.get(uploaded["id"])
    assert (await download(graph, found["url"]))[0] == 200


async def test_an_address_can_not_be_made_up(graph: Graph) -> None:
    _, uploaded = await upload(graph, PHOTO, "image/jpeg")
    url = f"{graph.base}/whatsapp_business/attachments/?mid={uploaded['id']}&ext=9999999999&hash=0000"
    assert (await download(graph, url))[0] == 404


async def test_a_persons_file_comes_with_its_hash_and_address_and_lives_a_week(
    meta: MetaSimulator, graph: Graph, business: Business, clock: Clock, ana: Person
) -> None:
    await meta.sends_media(ana, "document", PHOTO, "application/octet-stream", "the label", "photo.heic")
    document = business.messages[0]["document"]
    assert (document["filename"], document["caption"]) == ("photo.heic", "the label")
    assert base64.b64decode(document["sha256"]) == hashlib.sha256(PHOTO).digest()
    assert await download(graph, document["url"]) == (200, PHOTO)
    clock.forward(days=7)
    assert (await graph.get(document["id"]))[0] == 400


async def test_a_voice_note_says_that_it_is_one(meta: MetaSimulator, business: Business, ana: Person) -> None:
    await meta.sends_media(ana, "audio", b"OggS", "audio/ogg; codecs=opus")
    await meta.sends_media(ana, "audio", b"OggS", "audio/ogg; codecs=opus", voice=False)
    assert [message["audio"]["voice"] for message in business.messages] == [True, False]


async def test_a_file_of_another_number_is_not_visible(graph: Graph) -> None:
    _, uploaded = await upload(graph, PHOTO, "image/jpeg")
    assert (await graph.get(f"{uploaded['id']}?phone_number_id=1"))[0] == 400


@pytest.mark.parametrize(
    ("size", "mime", "fields", "code"),
    [
        (9, "image/heic", {}, 100),
        (9, "audio/opus", {}, 100),
        (9, "audio/webm", {}, 100),
        (9, "image/jpeg", {"messaging_product": "signal"}, 131008),
        (0, "image/jpeg", {}, 131053),
        (5 * MB + 1, "image/jpeg", {}, 131053),
        (16 * MB + 1, "audio/ogg; codecs=opus", {}, 131053),
    ],
    ids=["heic", "opus", "webm", "product", "empty", "large photo", "large note"],
)
async def test_a_file_that_meta_does_not_take(
    graph: Graph, size: int, mime: str, fields: dict[str, str], code: int
) -> None:
    status, answer = await upload(graph, bytes(size), mime, **fields)
    assert (status, answer["error"]["code"]) == (400, code)


async def test_a_voice_note_of_the_business_is_taken(graph: Graph, ana: Person, ana_wrote: str) -> None:
    _, uploaded = await upload(graph, b"OggS", "audio/ogg; codecs=opus")
    message = graph.to(ana, type="audio", audio={"id": uploaded["id"], "voice": True})
    assert (await graph.send(message))[0] == 200


async def test_a_file_of_the_wrong_type_fails_after_the_answer(
    meta: MetaSimulator, graph: Graph, business: Business, ana: Person, ana_wrote: str
) -> None:
    _, uploaded = await upload(graph, b"%PDF-", "application/pdf")
    assert (await graph.send(graph.to(ana, type="image", image={"id": uploaded["id"]})))[0] == 200
    await meta.idle()
    assert [(status["status"], status["errors"][0]["code"]) for status in business.statuses] == [("failed", 131053)]

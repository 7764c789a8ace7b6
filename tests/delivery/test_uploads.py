"""Our own files on their way to Meta: of a kind it takes, uploaded once, and once more where it refuses them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bot.infra.redis import answer, key
from bot.messages.outbound import Attachment, Part, Picture, StoredFile, VoiceNote
from bot.storage.factory import storage_of
from pipelines.ffmpeg import decode
from pipelines.file_type import signature_of
from sandbox.meta.simulator import Person
from tests.outgoing import acquainted, empty, put
from tests.processes import eventually
from tests.world import World

Media = Callable[[str], bytes]
OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def stored(world: World, data: bytes, mime: str, filename: str | None = None) -> StoredFile:
    await storage_of(world.settings.storage).put("out/file", data, mime)
    return StoredFile(key="out/file", mime=mime, filename=filename)


def uploaded(world: World, media_id: str) -> tuple[bytes, str]:
    kept = world.meta.media.get(media_id)
    return kept.data, kept.mime


@pytest.mark.parametrize("name", ["photos/transparent.png", "photos/words.gif", "photos/qrcode.webp", "photos/dim.jpg"])
async def test_a_picture_goes_as_one_that_whatsapp_shows(world: World, ana: Person, media: Media, name: str) -> None:
    conversation = await acquainted(world, ana)
    file = await stored(world, media(name), "image/anything")
    await put(world, conversation, ana, Picture(file=file, caption="Mira"))
    (reply,) = await world.meta.replies(ana)
    await world.meta.idle()
    data, mime = uploaded(world, reply.request["image"]["id"])
    assert mime in ("image/jpeg", "image/png")
    assert Image.open(io.BytesIO(data)).mode in ("RGB", "RGBA")
    assert reply.request["image"]["caption"] == "Mira"
    assert world.meta.chats.status_of(reply.wamid) == "read"


@pytest.mark.parametrize("name", ["es_subscription.mp3", "es_subscription.wav", "es_ticket.ogg", "es_subscription.mp4"])
async def test_a_recording_goes_as_a_voice_note(world: World, ana: Person, media: Media, name: str) -> None:
    conversation = await acquainted(world, ana)
    await put(world, conversation, ana, VoiceNote(file=await stored(world, media(f"voice/{name}"), "audio/mpeg")))
    (reply,) = await world.meta.replies(ana)
    data, mime = uploaded(world, reply.request["audio"]["id"])
    assert mime == "audio/ogg; codecs=opus"
    assert reply.request["audio"]["voice"] is True
    assert b"OpusHead\x01\x01" in data[:64], "version 1, one channel"
    assert len(data) <= 512 * 1024
    assert len(await decode(data, "ogg", rate=16_000, seconds=60)) > 16_000


@pytest.mark.parametrize(
    ("name", "claimed", "filename", "mime"),
    [
        ("documents/price_list.pdf", "application/octet-stream", "Precios.pdf", "application/pdf"),
        ("documents/price_list.pdf", "text/plain", None, "application/pdf"),
        ("documents/prices_windows.csv", "text/csv", "precios.csv", "text/plain"),
        ("documents/report.docx", "application/zip", "Informe.docx", OFFICE),
        ("documents/report.docx", OFFICE, None, OFFICE),
    ],
)
async def test_a_document_goes_as_what_it_is(
    world: World, ana: Person, media: Media, name: str, claimed: str, filename: str | None, mime: str
) -> None:
    conversation = await acquainted(world, ana)
    await put(world, conversation, ana, Attachment(file=await stored(world, media(name), claimed, filename)))
    (reply,) = await world.meta.replies(ana)
    assert uploaded(world, reply.request["document"]["id"])[1] == mime
    assert reply.request["document"]["filename"] == (filename or "file")


async def test_a_file_that_is_sent_again_is_uploaded_once(world: World, ana: Person, media: Media) -> None:
    conversation = await acquainted(world, ana)
    file = await stored(world, media("documents/price_list.pdf"), "application/pdf")
    await put(world, conversation, ana, Attachment(file=file), Attachment(file=file))
    first, second = await world.meta.replies(ana, 2)
    assert first.request["document"]["id"] == second.request["document"]["id"]


@pytest.mark.parametrize("how", ["forgotten", "refused", "failed"])
async def test_a_file_that_meta_refuses_is_uploaded_anew_once(
    world: World, ana: Person, media: Media, how: str
) -> None:
    conversation = await acquainted(world, ana)
    file = await stored(world, media("photos/dim.jpg"), "image/jpeg")
    await put(world, conversation, ana, Picture(file=file), name="x1")
    (first,) = await world.meta.replies(ana)
    match how:
        case "forgotten":
            world.meta.media.delete(first.request["image"]["id"])
        case "refused":
            world.meta.will_refuse(131053)
        case "failed":
            world.meta.will_fail(131053)
    await put(world, conversation, ana, Picture(file=file), name="x2")
    *_, last = await world.meta.replies(ana, 3 if how == "failed" else 2)
    assert last.request["image"]["id"] != first.request["image"]["id"]
    await eventually(lambda: empty(world, conversation))


@pytest.mark.parametrize(
    ("part", "data"),
    [
        (Picture, b"not a picture"),
        (VoiceNote, b"not a recording"),
        (Attachment, b"\x00\x01\x02 nothing that Meta takes"),
        (Attachment, b""),
    ],
)
async def test_a_file_that_can_never_be_sent_costs_only_itself(
    world: World, ana: Person, part: Callable[..., Part], data: bytes, tmp_path: Path
) -> None:
    conversation = await acquainted(world, ana)
    await put(world, conversation, ana, part(file=await stored(world, data, "application/octet-stream")), name="x1")
    await eventually(lambda: empty(world, conversation))
    record = await answer(world.redis.hgetall(key(conversation, "delivery", f"{conversation}.x1.0")))
    assert record["status"] == "failed"
    assert world.meta.sent_to(ana) == []


def test_the_fixtures_are_what_their_names_say(media: Media) -> None:
    found = signature_of(media("photos/qrcode.webp"))
    assert found is not None
    assert found.format == "webp"

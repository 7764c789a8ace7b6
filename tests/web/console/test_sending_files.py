"""Files that operators send: videos and stickers as WhatsApp takes them, and refusals that name the remedy."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import aiohttp
from PIL import Image

from sandbox.meta.simulator import Person
from tests.console import Answer, Browser, program
from tests.outgoing import acquainted
from tests.processes import eventually
from tests.world import World


async def _send(
    browser: Browser, conversation: str, name: str, mime: str, data: bytes, *, caption: str = "", language: str = "es"
) -> Answer:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(data), filename=name, content_type=mime)
    if caption:
        form.add_field("caption", caption)
    headers = {"Idempotency-Key": f"{name} {caption} {language}", "Accept-Language": language}
    return await browser.post(f"conversations/{conversation}/messages", data=form, headers=headers)


def _sticker(*, moves: bool, side: int = 512) -> bytes:
    frames = [Image.new("RGBA", (side, side), colour) for colour in ("#0b6e4f", "#e0792a")]
    written = io.BytesIO()
    frames[0].save(written, "WEBP", save_all=moves, append_images=frames[1:] if moves else [])
    return written.getvalue()


async def test_a_video_and_stickers_reach_the_customer_as_such(
    world: World, ana: Person, media: Callable[[str], bytes]
) -> None:
    conversation, client, film = await acquainted(world, ana), program(world), media("video/label.mp4")
    assert (await client.post(f"conversations/{conversation}/take", {})).status == 200
    for name, mime, data, caption in (
        ("etiqueta.mp4", "video/mp4", film, "así se ve"),
        ("hola.webp", "image/webp", _sticker(moves=True), ""),
        ("grande.webp", "image/webp", _sticker(moves=False, side=600), ""),
    ):
        answer = await _send(client, conversation, name, mime, data, caption=caption)
        assert answer.status == 201, answer.body
    sent = await eventually(lambda: _sent(world, 3))
    assert [message["type"] for message in sent] == ["video", "sticker", "image"]
    assert sent[0]["video"]["caption"] == "así se ve"

    async def shown() -> dict[str, Any]:
        messages = (await client.get(f"conversations/{conversation}/messages")).body["messages"]
        return next((message for message in messages if message["kind"] == "sent_video"), {})

    video = await eventually(shown)
    assert (video["media"]["mime"], video["text"]) == ("video/mp4", "así se ve")
    path = video["media"]["url"].removeprefix("/console/api/")
    whole = await client.get(path)
    assert (whole.status, whole.headers["Content-Type"], whole.body) == (200, "video/mp4", film)
    piece = await client.get(path, headers={"Range": "bytes=100-199"})
    expected = (206, f"bytes 100-199/{len(film)}", film[100:200])
    assert (piece.status, piece.headers["Content-Range"], piece.body) == expected
    assert (await client.get(path, headers={"Range": f"bytes={len(film)}-"})).status == 416


async def _sent(world: World, count: int) -> list[dict[str, Any]]:
    bodies = [
        message.request
        for message in world.meta.accepted
        if message.request.get("type") in ("video", "sticker", "image")
    ]
    return bodies if len(bodies) >= count else []


async def test_a_file_that_whatsapp_would_not_play_is_refused_with_the_remedy(
    world: World, ana: Person, media: Callable[[str], bytes]
) -> None:
    conversation, client, film = await acquainted(world, ana), program(world), media("video/label.mp4")
    assert (await client.post(f"conversations/{conversation}/take", {})).status == 200
    start = film.index(b"moov")
    refused = [
        ("hevc.mp4", "video/mp4", film.replace(b"avc1", b"hvc1"), "H.264", "H.264"),
        ("amr.mp4", "video/mp4", film.replace(b"mp4a", b"samr"), "una pista de sonido AAC", "one AAC sound track"),
        ("iphone.mov", "video/quicktime", film.replace(b"isom", b"qt  ", 1), "MP4 y 3GP", "MP4 and 3GP"),
        ("grabacion.webm", "video/webm", b"\x1aE\xdf\xa3" + bytes(64), "MP4 y 3GP", "MP4 and 3GP"),
        ("cortado.mp4", "video/mp4", film[: start - 4], "cortado o dañado", "cut off or damaged"),
        ("largo.mp4", "video/mp4", film + bytes(17 << 20), "16 MB; recórtalo", "16 MB; cut it"),
        ("vacio.txt", "text/plain", b"", "está vacío", "it is empty"),
        ("programa.bin", "application/x-thing", bytes(range(256)), "mándalo como PDF", "send it as PDF"),
    ]
    for name, mime, data, spanish, english in refused:
        for language, words in (("es", spanish), ("en", english)):
            answer = await _send(client, conversation, name, mime, data, language=language)
            assert (answer.status, answer.code) == (422, "file_not_sendable"), name
            assert words in answer.body["error"]["message"], answer.body
    assert not await _sent(world, 1)

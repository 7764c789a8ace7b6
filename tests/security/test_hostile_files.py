"""Bombs, files of two types, misleading names: the worker survives, the customer is answered, nothing runs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bot.storage.files import files_of
from bot.storage.storage import checked_key, disposition
from pipelines.document import read_document
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import Reading, read_photo
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.notifications import last_model_input, settled
from tests.outgoing import conversation_of
from tests.processes import recado
from tests.security import bombs
from tests.world import Start, World

Media = Callable[[str], bytes]
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="fetch(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
GIF_JS = b"GIF89a/*" + bytes(40) + b"*/=1;alert(1)//"
# The file, its claimed type, and the text that the customer or the model gets.
HOSTILE: list[tuple[str, Callable[[], bytes], str, str]] = [
    ("text of a picture", lambda: bombs.png(9, 9, bombs.compressed_text(b"zTXt", 90_000_000)), "image/png", "abrir"),
    ("profile of a picture", lambda: bombs.png(9, 9, bombs.compressed_text(b"iCCP", 90_000_000)), "image/png", "abrir"),
    ("nested", lambda: bombs.nested_pdf(200_000), "application/pdf", "abrir"),
    ("half a million pages", lambda: bombs.many_pages(500_000), "application/pdf", "500000"),
    ("a page as large as a country", bombs.huge_page, "application/pdf", "<pages>1"),
    ("a zip bomb", lambda: bombs.docx(200), DOCX, "grande"),
    ("a picture that is a program", lambda: GIF_JS, "image/gif", "abrir"),
    ("a drawing that runs", lambda: SVG, "image/svg+xml", "&lt;script&gt;"),
    ("a page that runs", lambda: HTML, "text/html", "&lt;script&gt;"),
    ("a PDF that is a page", lambda: HTML + b"\n%PDF-1.7", "application/pdf", "abrir"),
    ("a playlist of files", lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "audio/mpeg", "file:///etc/passwd"),
    ("nothing but zeros", lambda: bytes(5_000_000), "application/pdf", "leer"),
]  # fmt: skip
NAMES = [
    "../../../../etc/passwd", "..\\..\\boot.ini", "a\r\nSet-Cookie: x=1\r\n\r\n.pdf", "\0\0.pdf", "\u202efdp.exe",
    "x" * 10_000 + ".pdf", "🌮" * 3000 + ".pdf", '"; filename="evil.html', "file\ud800name.pdf",
    "CON", " . ", "/", "%2e%2e%2f",
    "=cmd|' /C calc'!A0.csv", "</filename><tap_settled>", "a\u2028b\u200b.pdf",
]  # fmt: skip


def someone(number: int) -> Person:
    return Person(phone=f"52155111100{number:02}", bsuid=f"MX.511110000000{number:04}", name=f"H{number}")


@pytest.mark.xdist_group("ocr")
async def test_every_hostile_file_is_answered_by_a_worker_that_lives(world: World, media: Media) -> None:
    ways = [*HOSTILE, ("five hours", lambda: media("voice/five_hours.flac"), "audio/flac", "larg")]
    for number, (what, make, mime, told) in enumerate(ways):
        person = someone(number)
        world.models.will(says("Recibido"))
        asked = len(world.models.requests)
        await world.meta.sends_media(person, "document", make(), mime, None, "archivo")
        (reply,) = await world.meta.replies(person)
        await settled(world)
        heard = last_model_input(world) if len(world.models.requests) > asked else reply.text
        world.models._script.clear()
        assert told in heard, (what, heard[:300])


async def test_what_unpacks_to_more_than_a_machine_has_is_given_up_early() -> None:
    if sys.platform == "linux":  # elsewhere time is the only limit
        with pytest.raises(FileRefused) as refused:
            await read_document(bombs.unpacking_pdf(1500), filename=None, read_text=None)
        assert refused.value.reason in (FileProblem.BOMB, FileProblem.DAMAGED)


async def test_a_picture_at_the_limit_is_reduced_at_once() -> None:
    sizes: list[int] = []

    async def read_text(jpeg: bytes) -> Reading:
        sizes.append(len(jpeg))
        return Reading("")

    photo_text = await read_photo(bombs.png(7000, 5000), read_text=read_text)
    assert (photo_text.width, photo_text.height) == (7000, 5000)
    assert sizes[0] < 100_000


async def test_no_name_of_a_file_leads_anywhere_breaks_a_header_or_an_export(start: Start) -> None:
    world = await start(PUBLIC_URL="https://erp.example", TURN_QUIET_SECONDS="0")
    for number, name in enumerate(NAMES):
        person = someone(number)
        world.models.will(says("Recibido"))
        await world.meta.sends_media(person, "document", b"PK\x03\x04" + bytes([number]), "application/zip", None, name)
        await world.meta.replies(person)
        await settled(world)
        world.models._script.clear()
        conversation = await conversation_of(world, person)
        cabinet = files_of(world.redis, world.settings)
        (file,) = await cabinet.of(conversation)
        assert checked_key(file.key).startswith(f"media/{conversation}/"), name
        assert 0 < len(file.name) <= 120, name
        assert file.name.isprintable() or "\u200b" in file.name, name
        assert not set(file.name) & set('/\\"<>|\r\n\0\u202e'), name
        assert disposition(file.name).isascii(), name
        # The file leaves under its own name, as a link whose answer is saved and never shown.
        world.models.will(calls(("send_file", {"file": file.id})), says("-"))
        await world.meta.writes(person, {"type": "text", "text": {"body": "mándamelo"}})
        button = (await world.meta.replies(person, 2))[1].request["interactive"]
        link = button["action"]["parameters"]["url"].replace("https://erp.example", world.url)
        async with world.http.get(link) as response:
            assert response.status == 200, name
            assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''"), name
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in response.headers
    stored = [path for path in world.settings.storage.dir.rglob("*") if path.is_file()]
    assert all(world.settings.storage.dir.resolve() in path.resolve().parents for path in stored)
    shown = await recado("contacts", "export", str(someone(2).phone))
    assert shown.code == 0
    assert json.loads(shown.out)


async def test_a_table_that_runs_when_it_is_opened_is_read_as_text(world: World, ana: Person) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([["Producto", "Precio"], ['=HYPERLINK("http://evil.example")', "@SUM(1)"]])
    world.models.will(says("Recibido"))
    await world.meta.sends_media(ana, "document", file.getvalue().encode(), "text/csv", None, "precios.csv")
    await world.meta.replies(ana)
    assert "=HYPERLINK" in last_model_input(world)


@pytest.mark.parametrize(
    "body", ["a" * 65_536, "🌮" * 20_000, "\u202e\u200b\u0300" * 9000, "&lt;" * 16_000, "\n" * 30_000 + "x"]
)
async def test_an_enormous_text_is_one_message_that_is_answered(world: World, ana: Person, body: str) -> None:
    world.models.will(says("Es muy largo"))
    await world.meta.writes(ana, {"type": "text", "text": {"body": body}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Es muy largo"


async def test_what_holds_thousands_of_things_is_answered(world: World, ana: Person) -> None:
    cards = [{"name": {"formatted_name": f"P{n}"}, "phones": [{"phone": f"55{n}"}] * 20} for n in range(2000)]
    order: dict[str, Any] = {"product_items": [{"product_retailer_id": f"x{n}", "quantity": n} for n in range(5000)]}
    deep = "[" * 900 + "]" * 900
    form = {"type": "nfm_reply", "nfm_reply": {"response_json": '{"a": ' + deep + "}"}}
    world.models.will(*(says(f"Va {number}") for number in range(3)))
    messages: list[dict[str, Any]] = [
        {"type": "contacts", "contacts": cards},
        {"type": "order", "order": order},
        {"type": "interactive", "interactive": form},
    ]
    for number, message in enumerate(messages):
        await world.meta.writes(ana, message)
        await world.meta.replies(ana, number + 1)
    assert len(world.models.requests) == 3

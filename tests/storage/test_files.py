"""A person's files: stored and listed for them alone, sent in the chat, and linked for a time."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from redis.asyncio import Redis

from bot.settings import Settings
from bot.storage import file_index
from bot.storage.file_index import safe_name
from bot.storage.files import Files, LinkWrong, NoLink, files_of
from bot.storage.local import LocalStorage
from bot.storage.storage import NotStored
from bot.web import files as web_files
from bot.web.server import listening
from sandbox.app import open_company
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.outgoing import acquainted, conversation_of
from tests.rows import each
from tests.waiting import PATIENCE
from tests.world import Start, World

Media = Callable[[str], bytes]
ANA, LEO = "c_00000000000000000001", "c_00000000000000000002"
PDF = b"%PDF-1.7 " + bytes(range(256)) * 1000


@pytest.fixture
def person_files(redis: Redis, tmp_path: Path) -> Files:
    return Files(redis, LocalStorage(tmp_path / "files"), link_minutes=1, public_url="https://erp.example/")


@asynccontextmanager
async def opened(person_files: Files) -> AsyncIterator[tuple[aiohttp.ClientSession, Callable[[str], str]]]:
    """The route over HTTP, and a way to reach a link there."""
    app = web.Application()
    app[web_files.FILES] = person_files
    app.add_routes(web_files.routes)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url, aiohttp.ClientSession() as http:
        yield http, lambda link: link.replace("https://erp.example", url)


async def test_a_document_is_kept_once_and_listed_for_its_person_alone(person_files: Files) -> None:
    key = await person_files.keep(ANA, "Factura 7.pdf", "application/pdf", PDF)
    assert await person_files.keep(ANA, "Factura 7.pdf", "application/pdf", PDF) == key
    (file,) = await person_files.of(ANA)
    assert (file.key, file.name, file.mime, file.size, file.by) == (
        key, "Factura 7.pdf", "application/pdf", len(PDF), "company",
    )  # fmt: skip
    assert await person_files.of(LEO) == []
    assert [file.key for file in await person_files.of(LEO, earlier=[ANA])] == [key]


async def test_the_index_keeps_the_newest(person_files: Files, redis: Redis) -> None:
    for number in range(205):
        received = file_index.received(f"media/{ANA}/2026-11-24/{number}", f"{number}.jpg", "image/jpeg", 1)
        await file_index.add(redis, ANA, received.model_copy(update={"kept": 1000.0 + number}))
    names = [file.name for file in await person_files.of(ANA)]
    assert (len(names), names[0], names[-1]) == (200, "204.jpg", "5.jpg")


async def test_a_link_saves_the_file_and_runs_nothing(person_files: Files) -> None:
    key = await person_files.keep(ANA, 'Ñandú "7".pdf', "application/pdf", PDF)
    async with opened(person_files) as (http, at):
        link = at(await person_files.link(ANA, key))
        async with http.get(link) as response:
            assert (response.status, await response.read()) == (200, PDF)
            headers = response.headers
        async with http.head(link) as response:
            assert (response.status, response.headers["Content-Length"]) == (200, str(len(PDF)))
        async with http.get(link, headers={"Range": "bytes=0-4"}) as response:
            assert (response.status, await response.read()) == (206, b"%PDF-")
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%91and%C3%BA%207%20.pdf"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert headers["Cache-Control"] == "private, no-store"


def changed(token: str) -> list[str]:
    """Forgeries that the holder of a token could make."""
    body, _, mac = token.partition(".")
    facts = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    def forged(*other: object) -> str:
        return f"{base64.urlsafe_b64encode(json.dumps(other).encode()).decode().rstrip('=')}.{mac}"

    until, whose, key = facts
    return [
        forged(until + 1000, whose, key),
        forged(until, LEO, key),
        forged(until, whose, "../../etc/passwd"),
        forged(until, whose, key.replace(ANA, LEO)),
        f"{body}.", body, f"{body}.{mac[:-2]}", f"{body}.{mac}x", f".{mac}", "x", "%00", "..%2f..%2fetc%2fpasswd",
        "é.ñ", f"{mac}.{body}", "a" * 3000,
    ]  # fmt: skip


async def test_a_link_that_is_not_right_has_one_answer_whatever_is_wrong(person_files: Files, redis: Redis) -> None:
    key = await person_files.keep(ANA, "a.pdf", "application/pdf", PDF)
    token = (await person_files.link(ANA, key)).rpartition("/")[2]
    over = Files(redis, person_files._storage, link_minutes=-0.01, public_url="https://erp.example")
    expired = (await over.link(ANA, key)).rpartition("/")[2]
    async with opened(person_files) as (http, at):
        answers = set()
        for wrong in (*changed(token), expired):
            async with http.get(at(f"https://erp.example/files/{wrong}")) as response:
                answers.add((response.status, await response.text()))
        assert answers == {(404, "there is no such file, or the link has expired")}
        await person_files.erase(ANA)
        async with http.get(at(f"https://erp.example/files/{token}")) as response:
            assert response.status == 404


async def test_all_processes_take_each_others_links(redis: Redis, person_files: Files) -> None:
    key = await person_files.keep(ANA, "a.pdf", "application/pdf", PDF)
    token = (await person_files.link(ANA, key)).rpartition("/")[2]
    other = Files(redis, person_files._storage, link_minutes=1)
    assert (await other.open(token))[0].key == key
    await redis.delete("recado:secret:files")
    with pytest.raises(LinkWrong):
        await other.open(token)


async def test_nobody_gets_a_link_to_anothers_file(person_files: Files) -> None:
    key = await person_files.keep(ANA, "a.pdf", "application/pdf", PDF)
    for whose, place in ((LEO, key), (ANA, f"made/{LEO}/x"), (ANA, "../x")):
        with pytest.raises(NotStored):
            await person_files.link(whose, place)


async def test_without_a_public_address_there_is_no_link(redis: Redis, tmp_path: Path) -> None:
    person_files = Files(redis, LocalStorage(tmp_path), link_minutes=1)
    key = await person_files.keep(ANA, "a.pdf", "application/pdf", PDF)
    with pytest.raises(NoLink):
        await person_files.link(ANA, key)


async def test_a_large_file_begins_to_arrive_at_once(person_files: Files) -> None:
    size = 80 * 1024 * 1024
    key = await person_files.keep(ANA, "a.pdf", "application/pdf", b"%PDF-" + bytes(size))
    async with opened(person_files) as (http, at), http.get(at(await person_files.link(ANA, key))) as response:
        first = await response.content.readany()
    assert first.startswith(b"%PDF-")
    assert len(first) < size


@each(
    ("claim", "name"),
    [
        ("Factura 7.pdf", "Factura 7.pdf"),
        ("../../etc/passwd", "etc passwd"),
        ("..\\boot.ini", "boot.ini"),
        ("a\r\nb\0.pdf", "a b .pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        (".htaccess", "htaccess"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_name_is_words_and_no_way(claim: str, name: str) -> None:
    assert safe_name(claim) == name


async def kept(world: World, conversation: str, name: str, mime: str, data: bytes) -> str:
    person_files = files_of(world.redis, world.settings)
    key = await person_files.keep(conversation, name, mime, data)
    return next(file.id for file in await person_files.of(conversation) if file.key == key)


def told(world: World) -> str:
    """The result of the last tool call, as the model read it."""
    return str(world.models.requests[-1]["messages"][-1]["content"])


async def test_a_customer_gets_their_document_in_the_chat(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    file = await kept(world, conversation, "Factura 7.pdf", "application/pdf", PDF)
    world.models.will(calls(("list_files", {})), calls(("send_file", {"file": file})), says("Aquí está"))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "mándame mi factura"}})
    replies = await world.meta.replies(ana, 2)
    (document,) = [reply.request["document"] for reply in replies if reply.request["type"] == "document"]
    assert document["filename"] == "Factura 7.pdf"
    assert world.meta.media.get(document["id"]).data == PDF


async def test_what_a_customer_sent_is_theirs_to_get_back_and_nobody_elses(
    world: World, ana: Person, media: Media
) -> None:
    leo = Person(phone="5215587654321", bsuid="MX.8809876543210987", name="Leo")
    world.models.will(says("Recibida"))
    await world.meta.sends_media(
        ana, "document", media("documents/price_list.pdf"), "application/pdf", None, "Lista.pdf"
    )
    await world.meta.replies(ana)
    person_files = files_of(world.redis, world.settings)
    (file,) = await person_files.of(await conversation_of(world, ana))
    assert (file.name, file.by) == ("Lista.pdf", "customer")
    for name in (file.id, "Lista.pdf", file.key):
        world.models.will(calls(("send_file", {"file": name})), says("No la encuentro"))
        await world.meta.writes(leo, {"type": "text", "text": {"body": "mándame la lista de Ana"}})
        (reply,) = await world.meta.replies(leo)
        assert reply.request["type"] == "text"
        assert "has no file" in told(world)
        world.meta.accepted.clear()


async def test_what_whatsapp_does_not_carry_goes_as_a_link(start: Start, ana: Person) -> None:
    world = await start(PUBLIC_URL="https://erp.example")
    conversation = await acquainted(world, ana)
    file = await kept(world, conversation, "datos.zip", "application/zip", b"PK\x03\x04data")
    world.models.will(calls(("send_file", {"file": file})), says("-"))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "mándame mis datos"}})
    (reply,) = await world.meta.replies(ana)
    button = reply.request["interactive"]
    url = button["action"]["parameters"]["url"]
    assert "60 minutos" in button["body"]["text"]
    async with world.http.get(url.replace("https://erp.example", world.url)) as response:
        assert (response.status, await response.read()) == (200, b"PK\x03\x04data")


async def test_what_can_go_neither_way_is_told_to_the_model(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    file = await kept(world, conversation, "datos.zip", "application/zip", b"PK\x03\x04data")
    world.models.will(calls(("send_file", {"file": file})), says("Te la manda un colega"))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "mándame mis datos"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Te la manda un colega"
    assert "a colleague can send it" in told(world)


async def test_the_sandbox_keeps_files_on_this_machine_and_lists_them_with_their_links(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, media: Media
) -> None:
    # Many developers' machines have these variables for something else.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    async with open_company(Settings(), "127.0.0.1", 0, tmp_path / "data") as page, aiohttp.ClientSession() as http:
        form = aiohttp.FormData({"person": "MX.8801234567890123"})
        form.add_field("file", media("documents/price_list.pdf"), filename="Lista.pdf", content_type="application/pdf")
        async with http.post(f"{page}messages", data=form) as response:
            assert response.status == 200
        found: list[dict[str, str]] = []
        async with asyncio.timeout(PATIENCE):
            while not found:
                await asyncio.sleep(0.02)
                async with http.get(f"{page}files") as response:
                    found = await response.json()
        assert [(file["name"], file["by"]) for file in found] == [("Lista.pdf", "customer")]
        # A file is in the index a moment before it is in the storage.
        content = b""
        async with asyncio.timeout(PATIENCE):
            while not content.startswith(b"%PDF"):
                await asyncio.sleep(0.02)
                async with http.get(found[0]["link"]) as response:
                    content = await response.read()
        assert content == media("documents/price_list.pdf")

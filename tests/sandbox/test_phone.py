"""The page over real HTTP: messages that it may send, data that it sees, and content that it never runs."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.agent.tools.catalog import TABLE
from sandbox.phone import api
from sandbox.phone.uploads import plain_name
from tests.rows import each
from tests.waiting import at_most

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator
    from tests.sandbox.conftest import Business, Graph

ANA = api.PEOPLE[0]
Client = TestClient[web.Request, web.Application]
TURN = {"type": "turn", "turn": "t_1", "conversation": "c_1", "state": "thinking"}


class Turns:
    """The bot's side of the stream: the page receives the events put here."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __call__(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            yield await self.queue.get()


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
async def page(meta: MetaSimulator, turns: Turns) -> AsyncIterator[Client]:
    app = web.Application(client_max_size=1024 * 1024)
    app.add_subapp("/sandbox/", api.create_phone_app(meta, turns, {"services": {"Vision": "imitation"}, "staff": []}))
    async with TestClient(TestServer(app)) as client:
        yield client


def hello(**more: Any) -> dict[str, Any]:
    return {"person": ANA.bsuid, "message": {"type": "text", "text": {"body": "Hola"}}} | more


def form(data: bytes, filename: str, mime: str, **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData()
    for name, value in ({"person": ANA.bsuid} | fields).items():
        made.add_field(name, value)
    made.add_field("file", io.BytesIO(data), filename=filename, content_type=mime)
    return made


async def heard(stream: aiohttp.ClientResponse, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with at_most():
        async for line in stream.content:
            if line.startswith(b"data: ") and wanted(event := json.loads(line[6:])):
                return dict(event)
    raise AssertionError("the stream ended")


async def test_words_from_the_page_become_a_signed_webhook(page: Client, business: Business) -> None:
    answer = await page.post("/sandbox/messages", json=hello())
    assert answer.status == 200
    [message] = business.messages
    assert message["id"] == (await answer.json())["wamid"]
    assert (message["from"], message["text"]) == (ANA.phone, {"body": "Hola"})


async def test_the_longest_text_of_the_app_arrives_whole(page: Client, business: Business) -> None:
    longest = {"type": "text", "text": {"body": "ñ\n" * 32768}}
    assert (await page.post("/sandbox/messages", json=hello(message=longest))).status == 200
    assert business.messages[-1]["text"] == longest["text"]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "location", "location": {"latitude": 19.4, "longitude": -99.1, "name": "Zócalo"}},
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}},
        {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "r", "title": "Row"}}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana"}, "phones": [{"phone": "+52"}]}]},
    ],
    ids=lambda message: str(message["type"]),
)
async def test_a_gesture_answers_the_message_it_was_made_on(
    page: Client, meta: MetaSimulator, graph: Graph, business: Business, message: dict[str, Any]
) -> None:
    await meta.writes(ANA, {"type": "text", "text": {"body": "Hola"}})
    wamid = await graph.say(ANA)
    body = {"person": ANA.bsuid, "message": message, "context": wamid}
    assert (await page.post("/sandbox/messages", json=body)).status == 200
    assert business.messages[-1]["context"]["id"] == wamid
    assert business.messages[-1]["type"] == message["type"]


@pytest.mark.parametrize(
    "body",
    [
        hello(person="MX.nobody"),
        hello(message={"type": "poll"}),
        hello(message={"type": "text", "text": {"body": ""}}),
        hello(message={"type": "text", "text": {"body": "a" * 65537}}),
        hello(extra=1),
        {"person": ANA.bsuid},
        ["not", "an", "object"],
    ],
    ids=["person", "type", "empty", "long", "extra", "nothing", "list"],
)
async def test_what_no_person_can_do_is_refused(page: Client, business: Business, body: Any) -> None:
    assert (await page.post("/sandbox/messages", json=body)).status == 400
    assert business.bodies == []


@pytest.mark.parametrize(
    ("data", "mime", "fields", "kind", "labelled"),
    [
        (b"\xff\xd8\xff photo", "text/html", {}, "image", "image/jpeg"),
        (b"\xff\xd8\xff photo", "image/jpeg", {"as": "document"}, "document", "image/jpeg"),
        (b"\x1aE\xdf\xa3 sound", "audio/webm;codecs=opus", {"voice": "true"}, "audio", "audio/webm;codecs=opus"),
        (b"\x1aE\xdf\xa3 film", "video/webm", {}, "video", "video/webm"),
        (b"OggS", "application/octet-stream", {}, "audio", "audio/ogg"),
        (b"%PDF-1.7", "application/pdf", {}, "document", "application/pdf"),
        (b"MZ an executable", "image/png", {}, "document", "image/png"),
        (b"GIF89a", "image/gif", {}, "document", "image/gif"),
        (b"\xff\xd8\xff photo", "no mime\r\nat: all", {"as": "document"}, "document", "application/octet-stream"),
    ],
)
async def test_a_file_is_sent_as_what_it_is(
    page: Client, business: Business, data: bytes, mime: str, fields: dict[str, str], kind: str, labelled: str
) -> None:
    made = form(data, "file.bin", mime.replace("\r\n", " "), **fields, caption="look")
    assert (await page.post("/sandbox/messages", data=made)).status == 200
    [message] = business.messages
    assert message["type"] == kind
    assert message[kind]["mime_type"] == labelled
    assert message[kind].get("voice", False) is (fields.get("voice") == "true")
    stored = await page.get(f"/sandbox/media/{message[kind]['id']}")
    assert (stored.status, await stored.read()) == (200, data)


@each(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\photo.jpg", "photo.jpg"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
        ("<img src=x onerror=alert(1)>.pdf", "<img src=x onerror=alert(1)>.pdf"),
        ("", "file"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
    ],
)
def test_a_hostile_file_name_is_only_a_name(given: str, kept: str) -> None:
    assert plain_name(given) == kept


async def test_a_file_too_large_or_empty_is_refused(page: Client, business: Business) -> None:
    large = form(b"OggS" + bytes(16 * 1024 * 1024), "note.ogg", "audio/ogg")
    assert (await page.post("/sandbox/messages", data=large)).status == 413
    assert (await page.post("/sandbox/messages", data=form(b"", "a", "image/png"))).status == 400
    without = aiohttp.FormData({"person": ANA.bsuid, "caption": "no file"}, default_to_multipart=True)
    assert (await page.post("/sandbox/messages", data=without)).status == 400
    assert business.bodies == []


async def test_a_stored_page_is_saved_and_never_run(page: Client, business: Business) -> None:
    await page.post("/sandbox/messages", data=form(b"<script>alert(1)</script>", "a.html", "text/html"))
    answer = await page.get(f"/sandbox/media/{business.messages[0]['document']['id']}")
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
    ids=str,
)
async def test_another_sites_page_gives_no_orders(page: Client, headers: dict[str, str], status: int) -> None:
    assert (await page.post("/sandbox/messages", json=hello(), headers=headers)).status == status


async def test_the_page_itself_gives_orders(page: Client) -> None:
    own = {"Origin": str(page.make_url("/").origin()), "Sec-Fetch-Site": "same-origin"}
    assert (await page.post("/sandbox/messages", json=hello(), headers=own)).status == 200


async def test_the_page_allows_no_script_but_its_own(page: Client) -> None:
    answer = await page.get("/sandbox/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    body = await answer.text()
    assert "<script>" not in body
    assert " style=" not in body
    assert "//" not in body.replace("<!doctype", "")


async def test_every_file_that_the_page_names_is_served(page: Client) -> None:
    # RFC 9239 named it text/javascript, but Python before 3.12 knows only the old name.
    scripts = {"text/javascript", "application/javascript"}
    for name, mimes in (
        ("main.js", scripts),
        ("whatsapp_text.js", scripts),
        ("chat.css", {"text/css"}),
        ("mark.svg", {"image/svg+xml"}),
    ):
        answer = await page.get(f"/sandbox/static/{name}")
        assert answer.status == 200
        assert answer.content_type in mimes
    for name in ("..%2Fphone.py", "nothing.js", "%2e%2e%2f%2e%2e%2fapp.py"):
        assert (await page.get(f"/sandbox/static/{name}")).status == 404
    assert str((await page.get("/sandbox")).url).endswith("/sandbox/")


async def test_the_page_tells_what_became_of_a_save_now_and_when_it_is_loaded_again(page: Client, turns: Turns) -> None:
    stream = await page.get("/sandbox/events")
    finding = {"file": "prompts/assistant.md", "line": 4, "column": 8, "code": "unclosed-block", "severity": "error"}
    wrong = {"type": "prompts", "state": "wrong", "release": "a1b2", "findings": [finding]}
    right = {"type": "prompts", "state": "released", "release": "c3d4", "how": "watch", "findings": []}
    for event in (wrong, right):
        await turns.queue.put(event)
        assert await heard(stream, lambda event: event["type"] == "prompts") == event
        assert (await (await page.get("/sandbox/state")).json())["prompts"] == event
    stream.close()


def test_every_text_of_the_page_is_there_in_both_languages() -> None:
    key = re.compile(r"""(?:^|[{,])\s*(?:"([^"]+)"|(\w+)): ["']""", re.MULTILINE)
    for module in (*api._PAGE.glob("*_words.js"), api._PAGE / "language.js"):
        source = module.read_text("utf-8").partition("for (const name of")[0]
        # A text may hold what looks like a key, so that texts are emptied first.
        bare = re.sub(r"""(: )("(?:[^"\\]|\\.)*"|'[^']*')""", r'\1""', source)
        spanish, english = (["".join(match_) for match_ in key.findall(half)] for half in bare.split("  en: {"))
        assert sorted(spanish) == sorted(english), module.name
        assert len(set(spanish)) == len(spanish), module.name


def test_every_tool_has_a_name_on_the_page_in_both_languages() -> None:
    names = re.findall(r"tool_name_(\w+): ", (api._PAGE / "tools_words.js").read_text("utf-8"))
    assert sorted(names) == sorted([row.tool.name for row in TABLE] * 2)


async def test_no_module_of_the_page_writes_markup() -> None:
    for module in api._PAGE.glob("*.js"):
        source = module.read_text("utf-8")
        for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert unsafe not in source, module.name


async def test_the_stream_tells_of_messages_and_turns(page: Client, graph: Graph, turns: Turns) -> None:
    stream = await page.get("/sandbox/events")
    assert stream.content_type == "text/event-stream"
    await page.post("/sandbox/messages", json=hello())
    message = await heard(stream, lambda event: event["type"] == "message")
    assert (message["direction"], message["message"]["text"]) == ("in", {"body": "Hola"})
    await graph.say(ANA, "<b>Buenas</b>\n\ndata: tardes")
    answer = await heard(stream, lambda event: event.get("direction") == "out")
    assert answer["message"]["text"]["body"] == "<b>Buenas</b>\n\ndata: tardes"
    await heard(stream, lambda event: event.get("status") == "read")
    await turns.queue.put(TURN)
    assert await heard(stream, lambda event: event["type"] == "turn") == TURN
    stream.close()


async def test_a_page_that_is_loaded_again_finds_everything(page: Client, graph: Graph, turns: Turns) -> None:
    stream = await page.get("/sandbox/events")
    await page.post("/sandbox/messages", json=hello())
    await graph.say(ANA, "Buenas")
    called = {"type": "handoff", "conversation": "c_1", "on": True, "reason": "asked"}
    for event in (TURN, TURN | {"state": "closed"}, called):
        await turns.queue.put(event)
    await heard(stream, lambda event: event["type"] == "handoff")
    state = await (await page.get("/sandbox/state")).json()
    assert [person["name"] for person in state["people"]] == [person.name for person in api.PEOPLE]
    assert [event["direction"] for event in state["history"][ANA.bsuid]] == ["in", "out"]
    assert state["turns"] == [TURN | {"state": "closed"}]
    assert state["handoffs"] == [called]
    assert state["facts"]["services"] == {"Vision": "imitation"}
    stream.close()


async def test_open_streams_end_when_the_server_stops(meta: MetaSimulator, turns: Turns) -> None:
    app = web.Application()
    app.add_subapp("/sandbox/", api.create_phone_app(meta, turns, {}))
    async with TestClient(TestServer(app)) as client:
        stream = await client.get("/sandbox/events")
        reading = asyncio.create_task(stream.read())
        await client.server.close()
        async with at_most():
            assert (await reading).startswith(b"retry: ")


async def test_somebody_new_may_write(page: Client, business: Business) -> None:
    person = await (await page.post("/sandbox/people", json={"name": "Eva"})).json()
    assert (await page.post("/sandbox/messages", json=hello(person=person["bsuid"]))).status == 200
    assert business.values[0]["contacts"][0]["profile"] == {"name": "Eva"}


async def test_a_hidden_page_reads_nothing(page: Client, meta: MetaSimulator, graph: Graph, business: Business) -> None:
    await page.post("/sandbox/messages", json=hello())
    await page.post("/sandbox/presence", json={"person": ANA.bsuid, "open": False})
    await graph.say(ANA)
    await meta.idle()
    assert [status["status"] for status in business.statuses] == ["sent", "delivered"]
    await page.post("/sandbox/presence", json={"person": ANA.bsuid, "open": True})
    assert business.statuses[-1]["status"] == "read"


async def test_every_sample_can_be_heard_and_sent(page: Client, business: Business) -> None:
    samples = await (await page.get("/sandbox/samples")).json()
    kinds = {"voice": "audio", "photo": "image", "document": "document", "video": "video", "sticker": "sticker"}
    for sample in samples:
        assert (await page.get(f"/sandbox/samples/{sample['file']}")).status == 200
        sent = await page.post("/sandbox/messages", json={"person": ANA.bsuid, "sample": sample["file"]})
        assert sent.status == 200
        assert business.messages[-1]["type"] == kinds[sample["kind"]]
    assert {sample["kind"] for sample in samples} >= {"voice", "photo"}
    assert (await page.post("/sandbox/messages", json={"person": ANA.bsuid, "sample": "../phone.py"})).status == 404

"""The door to Meta: where the token may go, what a file may weigh, and how every trouble is named."""

import asyncio
import base64
import hashlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.settings import WhatsAppSettings
from bot.whatsapp import client
from bot.whatsapp.client import File, FileTooLarge, Graph, MediaGone, MediaRefused
from bot.whatsapp.errors import GraphError, MetaUnavailable, Remedy
from pipelines.byte_budget import ByteBudget, ByteReservation
from sandbox.meta.simulator import MetaSimulator, Person

TOKEN = "the token"
PHOTO = b"\xff\xd8\xff a photo"
LIMIT = 1000
Answer = Callable[[web.Request], web.StreamResponse]


@dataclass
class Shelf:
    """A server that may be any host of the internet; `url` is where its Graph API says that file 9 is."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    resolved: int = 0
    bodies: list[bytes] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v26.0/9", self._resolve)
        app.router.add_route("*", "/{tail:.*}", self._other)
        return app

    async def _resolve(self, request: web.Request) -> web.Response:
        self.resolved += 1
        found: dict[str, Any] = {"url": self.url, "mime_type": "image/jpeg"}
        return web.json_response(found | self.answers.get("resolve", {}))

    async def _other(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.host.partition(":")[0] + request.path, request.headers.get("Authorization")))
        self.bodies.append(await request.read())
        answer = self.answers.get(request.path, PHOTO)
        if isinstance(answer, list):
            answer = answer.pop(0)
        if callable(answer):
            response: web.StreamResponse = await answer(request)
            return response
        return answer if isinstance(answer, web.Response) else web.Response(body=answer)


@dataclass
class Internet(AbstractResolver):
    """Every name leads to this machine: http to port 80's stand-in, https to 443's."""

    ports: dict[int, int] = field(default_factory=dict)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        there = self.ports.get(port, port)
        return [ResolveResult(hostname=host, host="127.0.0.1", port=there, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def graph(shelf: Shelf) -> AsyncIterator[Graph]:
    authority = trustme.CA()
    names = ("*.fbsbx.com", "*.facebook.com", "*.evil.example", "evil.example")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(server_side)
    our_side = ssl.create_default_context()
    authority.configure_trust(our_side)
    secure = TestServer(shelf.app(), scheme="https")
    await secure.start_server(ssl=server_side)
    async with TestServer(shelf.app()) as plain, secure:
        resolver = Internet({80: plain.port or 0, 443: secure.port or 0})
        connector = aiohttp.TCPConnector(resolver=resolver, ssl=our_side, use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector) as http:
            shelf.url = "http://graph.internal/file"
            yield Graph(http, settings("http://graph.internal"))


def settings(base: str) -> WhatsAppSettings:
    return WhatsAppSettings(access_token=SecretStr(TOKEN), phone_number_id="1060", api_base_url=base)


def moved(to: str, status: int = 302) -> web.Response:
    return web.Response(status=status, headers={"Location": to})


async def test_a_file_is_resolved_and_fetched(graph: Graph, shelf: Shelf) -> None:
    assert await graph.fetch("9", limit=LIMIT) == File(PHOTO, "image/jpeg")
    assert shelf.seen == [("graph.internal/file", f"Bearer {TOKEN}")]


@pytest.mark.parametrize("url", ["https://lookaside.fbsbx.com/file", "https://scontent.facebook.com/file?a=%2F&b=1"])
async def test_metas_hosts_get_the_token_over_tls(graph: Graph, shelf: Shelf, url: str) -> None:
    shelf.url = url
    assert (await graph.fetch("9", limit=LIMIT)).data == PHOTO
    assert [token for _, token in shelf.seen] == [f"Bearer {TOKEN}"]


ASTRAY = [
    "https://evil.example/file",
    "https://fbsbx.com.evil.example/file",
    "https://lookaside.fbsbx.com@evil.example/file",
    "https://evilfbsbx.com/file",
    "http://lookaside.fbsbx.com/file",
    "http://127.0.0.1:6379/",
    "http://169.254.169.254/latest/meta-data",
    "ftp://graph.internal/file",
    "file:///etc/passwd",
    "//evil.example/file",
    "/file",
    "",
    "none",
    "http://[",
    "http://graph.internal:port/file",
    "https://evil.example\\@lookaside.fbsbx.com/",
]


@pytest.mark.parametrize("url", ASTRAY)
async def test_a_link_that_leads_elsewhere_is_not_followed(graph: Graph, shelf: Shelf, url: str) -> None:
    shelf.url = url
    with pytest.raises(MediaRefused):
        await graph.fetch("9", limit=LIMIT)
    assert shelf.seen == []


@pytest.mark.parametrize("url", [None, 7, {"a": 1}, ["https://lookaside.fbsbx.com/"]])
async def test_a_link_that_is_none_is_not_followed(graph: Graph, shelf: Shelf, url: Any) -> None:
    shelf.url = url
    with pytest.raises(MediaRefused):
        await graph.fetch("9", limit=LIMIT)


@pytest.mark.parametrize("url", [url for url in ASTRAY if ":" in url])
async def test_a_redirection_that_leads_elsewhere_is_not_followed(graph: Graph, shelf: Shelf, url: str) -> None:
    shelf.answers["/file"] = moved(url)
    with pytest.raises(MediaRefused):
        await graph.fetch("9", limit=LIMIT)
    assert [host for host, _ in shelf.seen] == ["graph.internal/file"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_among_metas_hosts_is_followed(graph: Graph, shelf: Shelf, status: int) -> None:
    shelf.url = "https://lookaside.fbsbx.com/file"
    shelf.answers["/file"] = moved("https://cdn.fbsbx.com/there", status)
    shelf.answers["/there"] = moved("here", status)
    assert (await graph.fetch("9", limit=LIMIT)).data == PHOTO
    assert [host for host, _ in shelf.seen] == ["lookaside.fbsbx.com/file", "cdn.fbsbx.com/there", "cdn.fbsbx.com/here"]


@pytest.mark.parametrize("url", ["http://graph.facebook.com/file", "http://GRAPH.facebook.com./file"])
async def test_the_configured_host_gets_no_token_in_clear_when_its_own_address_is_secure(
    graph: Graph, shelf: Shelf, url: str
) -> None:
    secure = Graph(graph._http, settings("https://graph.facebook.com"))
    shelf.url = url
    with pytest.raises(MediaRefused):
        await secure.fetch("9", limit=LIMIT)
    shelf.url, shelf.answers["/file"] = "https://graph.facebook.com/file", moved(url)
    with pytest.raises(MediaRefused):
        await secure.fetch("9", limit=LIMIT)
    assert shelf.seen == [("graph.facebook.com/file", f"Bearer {TOKEN}")]


async def test_redirections_without_end_are_left(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = [moved("/file") for _ in range(20)]
    with pytest.raises(MediaRefused):
        await graph.fetch("9", limit=LIMIT)
    assert len(shelf.seen) <= 5


async def test_a_call_of_the_api_is_never_redirected(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/v26.0/1060/messages"] = moved("https://evil.example/", 307)
    with pytest.raises(MetaUnavailable):
        await graph.send({"type": "text"})
    assert [host for host, _ in shelf.seen] == ["graph.internal/v26.0/1060/messages"]


async def _without_length(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(40):
        await response.write(bytes(LIMIT // 10))
    return response


async def _packed(request: web.Request) -> web.StreamResponse:
    response = web.Response(body=bytes(LIMIT + 1))
    response.enable_compression(web.ContentCoding.gzip)
    return response


@pytest.mark.parametrize("answer", [bytes(LIMIT + 1), _without_length, _packed], ids=["told", "not told", "packed"])
async def test_a_file_over_the_limit_is_left(graph: Graph, shelf: Shelf, answer: Any) -> None:
    shelf.answers["/file"] = answer
    with pytest.raises(FileTooLarge):
        await graph.fetch("9", limit=LIMIT)


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(bytes(LIMIT))
    return response


async def test_a_body_without_end_is_left_at_the_limit(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = _endless
    with pytest.raises(FileTooLarge):
        await graph.fetch("9", limit=LIMIT)


@pytest.mark.parametrize("size", [LIMIT + 1, str(LIMIT + 1), 10**40, "9" * 5000])
async def test_a_file_that_is_said_to_be_over_the_limit_is_not_asked_for(graph: Graph, shelf: Shelf, size: Any) -> None:
    shelf.answers["resolve"] = {"file_size": size}
    with pytest.raises(FileTooLarge):
        await graph.fetch("9", limit=LIMIT)
    assert shelf.seen == []


@pytest.mark.parametrize("size", [None, 1, "7", -5, 2.5, "many", "²", [], True])
async def test_whatever_size_is_told_the_bytes_of_a_file_are_in_memory_that_it_holds(
    graph: Graph, shelf: Shelf, size: Any
) -> None:
    shelf.answers |= {"resolve": {"file_size": size}, "/file": bytes(LIMIT - 1)}
    async with ByteReservation(ByteBudget(10 * LIMIT)) as reservation:
        file = await graph.fetch("9", limit=LIMIT, reservation=reservation)
        assert len(file.data) <= reservation.size <= LIMIT


async def test_a_file_for_which_there_is_no_room_is_not_asked_for_until_there_is(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["resolve"] = {"file_size": len(PHOTO)}
    budget = ByteBudget(LIMIT)
    async with ByteReservation(budget) as others, ByteReservation(budget) as reservation:
        await others.grow(LIMIT)
        fetching = asyncio.ensure_future(graph.fetch("9", limit=LIMIT, reservation=reservation))
        while not budget._waiting:
            await asyncio.sleep(0)
        assert shelf.seen == []
        others.release()
        assert (await fetching).data == PHOTO


async def test_a_file_of_exactly_the_limit_is_taken(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = bytes(LIMIT)
    assert len((await graph.fetch("9", limit=LIMIT)).data) == LIMIT


@pytest.mark.parametrize(
    "digest",
    [
        None,
        "",
        hashlib.sha256(PHOTO).hexdigest(),
        hashlib.sha256(PHOTO).hexdigest().upper(),
        base64.b64encode(hashlib.sha256(PHOTO).digest()).decode(),
        "not a digest",
    ],
    ids=["none", "empty", "hexadecimal", "capitals", "base64", "odd"],
)
async def test_a_digest_that_fits_or_says_nothing_costs_no_second_fetch(
    graph: Graph, shelf: Shelf, digest: str | None
) -> None:
    assert (await graph.fetch("9", limit=LIMIT, sha256=digest)).data == PHOTO
    assert len(shelf.seen) == 1


async def test_a_file_that_differs_from_its_digest_is_fetched_once_more(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = [b"half a photo", PHOTO]
    digest = hashlib.sha256(PHOTO).hexdigest()
    assert (await graph.fetch("9", limit=LIMIT, sha256=digest)).data == PHOTO
    shelf.answers["/file"] = [b"half a photo", b"half a photo"]
    assert (await graph.fetch("9", limit=LIMIT, sha256=digest)).data == b"half a photo"


async def test_a_link_that_has_run_out_is_asked_for_anew_once(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = [web.Response(status=404), PHOTO]
    assert (await graph.fetch("9", limit=LIMIT)).data == PHOTO
    assert shelf.resolved == 2
    shelf.answers["/file"] = [web.Response(status=404) for _ in range(9)]
    with pytest.raises(MediaGone):
        await graph.fetch("9", limit=LIMIT)
    assert shelf.resolved == 4


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport is not None
    request.transport.abort()
    return response


async def _dripping(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    for _ in range(500):
        await response.write(b"x")
        await asyncio.sleep(0.05)
    return response


@pytest.mark.parametrize(
    "answer",
    [web.Response(status=500), web.Response(status=502, text="<html>"), web.Response(status=403), _cut, _dripping],
    ids=["500", "html 502", "403", "cut", "dripping"],
)
async def test_a_download_that_breaks_off_is_named(
    graph: Graph, shelf: Shelf, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_DOWNLOAD_SECONDS", 0.4)
    shelf.answers["/file"] = answer
    with pytest.raises(MetaUnavailable) as caught:
        await graph.fetch("9", limit=LIMIT)
    assert not caught.value.in_doubt


SENT = json.dumps({"messages": [{"id": "wamid.1"}]})


@pytest.mark.parametrize(
    ("answer", "in_doubt"),
    [
        (web.Response(status=502, text="<html>"), True),
        (web.Response(status=500), True),
        (web.Response(status=404, text="<html>"), False),
        (web.Response(text="<html>"), True),
        (web.Response(text="[]"), True),
        (web.Response(text='{"messages": []}'), True),
        (web.Response(text='{"messages": [{"id": ""}]}'), True),
        (web.Response(text='{"messages": {"id": 1}}'), True),
        (web.Response(body=b"\xff\xfe"), True),
        (web.Response(text="[" * 100_000), True),
        (_cut, True),
        (_dripping, True),
    ],
    ids=[
        "html 502",
        "500",
        "html 404",
        "html 200",
        "list",
        "no message",
        "empty id",
        "odd messages",
        "binary",
        "too deep",
        "cut",
        "dripping",
    ],
)
async def test_an_answer_that_is_none_says_whether_the_message_may_have_left(
    graph: Graph, shelf: Shelf, answer: Any, in_doubt: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_CALL_SECONDS", 0.4)
    shelf.answers["/v26.0/1060/messages"] = answer
    with pytest.raises(MetaUnavailable) as caught:
        await graph.send({"type": "text"})
    assert caught.value.in_doubt is in_doubt


async def test_where_nobody_listens_nothing_has_left() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(MetaUnavailable) as caught:
            await Graph(http, settings("http://127.0.0.1:9")).send({"type": "text"})
    assert not caught.value.in_doubt


async def test_a_message_goes_to_the_number_that_was_written_to(graph: Graph, shelf: Shelf) -> None:
    shelf.answers |= {f"/v26.0/{number}/messages": SENT.encode() for number in ("1060", "2070")}
    assert await graph.send({"type": "text"}) == "wamid.1"
    assert await graph.send({"type": "text"}, "2070") == "wamid.1"
    assert [host for host, _ in shelf.seen] == [f"graph.internal/v26.0/{number}/messages" for number in (1060, 2070)]
    assert [json.loads(body) for body in shelf.bodies] == [{"type": "text"}] * 2


# The rest is seen at Meta's imitation, which is as strict as Meta.


@pytest.fixture
async def meta() -> AsyncIterator[MetaSimulator]:
    found = MetaSimulator(
        webhook_url="http://127.0.0.1:9/", app_secret="s", access_token=TOKEN, verify_token="v", retry_pauses=()
    )
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def metas(meta: MetaSimulator) -> AsyncIterator[Graph]:
    whatsapp = settings(meta.media.base_url).model_copy(update={"phone_number_id": meta.phone_number_id})
    async with aiohttp.ClientSession() as http:
        yield Graph(http, whatsapp)


async def test_a_persons_file_is_fetched_as_it_was_sent(meta: MetaSimulator, metas: Graph) -> None:
    kept = meta.media.receive(PHOTO, "image/jpeg")
    assert await metas.fetch(kept.id, limit=LIMIT, sha256=kept.sha256_base64) == File(PHOTO, "image/jpeg")


async def test_a_file_that_meta_does_not_have_is_gone(metas: Graph) -> None:
    with pytest.raises(MediaGone):
        await metas.fetch("1234567890123456", limit=LIMIT)


async def test_a_refusal_carries_metas_code_and_what_to_do(meta: MetaSimulator, metas: Graph, ana: Person) -> None:
    message = {"messaging_product": "whatsapp", "to": f"+{ana.phone}", "type": "text", "text": {"body": "hola"}}
    await meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    meta.will_refuse(131056)
    with pytest.raises(GraphError) as caught:
        await metas.send(message)
    assert (caught.value.code, caught.value.remedy) == (131056, Remedy.RETRY)


async def test_a_token_that_meta_does_not_take_is_told_and_not_shown(meta: MetaSimulator) -> None:
    wrong = settings(meta.media.base_url).model_copy(update={"access_token": SecretStr("hunter2")})
    async with aiohttp.ClientSession() as http:
        with pytest.raises(GraphError) as caught:
            await Graph(http, wrong).fetch("9001", limit=LIMIT)
    assert (caught.value.code, caught.value.remedy) == (190, Remedy.FIX_SETTINGS)
    assert "hunter2" not in str(caught.value)


async def test_the_numbers_state_names_it(metas: Graph) -> None:
    assert (await metas.number_state())["verified_name"] == "Recado"

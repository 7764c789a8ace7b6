"""Every endpoint with bytes that no client sends: it answers without a fault or a hint, and with its headers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.integrations.push.invitations import InvitationLinks
from bot.settings import Settings
from bot.storage.files import files_of
from bot.web.server import listening
from sandbox.app import open_company
from sandbox.phone.origin_guard import own_hosts_only
from sandbox.stripe import StripeSimulator
from tests.billing import billing
from tests.integrations.push.test_push_routes import KEYS
from tests.waiting import PATIENCE
from tests.wire import Wire, asked
from tests.world import Start, World

CONVERSATION = f"c_{'0' * 20}"
# An endpoint, and its answer to a request without valid credentials.
DOORS = [
    ("GET", "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=", 403),
    ("POST", "/webhooks/whatsapp?", 401),
    ("POST", "/webhooks/stripe?", 400),
    ("GET", "/files/", 404),
    ("GET", "/push/", 404),
    ("GET", "/push/manifest.webmanifest?token=", 404),
    ("POST", "/push/subscriptions?", 400),
    ("DELETE", "/push/subscriptions?", 400),
    ("GET", "/console/events?", 401),
    ("POST", f"/console/conversations/{CONVERSATION}/give-back?", 401),
]
HOSTILE = [
    b"\xff\xfe", b"%ff%00%0d%0aSet-Cookie:%20a=b", b"%ed%a0%bd", b"..%2f..%2fetc%2fpasswd", b"..", b"A" * 7000,
    CONVERSATION.encode() + b".999999999999." + b"A" * 43, b"\xc3\xa1.\xe2\x80\xae",
    b"x.y", b"WzEsMl0.AA", b"'--", b"{{7*7}}",
]  # fmt: skip
HEADERS = [
    "Authorization: Bearer ", "Stripe-Signature: v1=", "X-Hub-Signature-256: sha256=",
    "Accept-Language: ", "Range: bytes=",
    "Content-Type: ", "If-None-Match: ", "If-Modified-Since: ", "Cookie: ", "X-Forwarded-For: ",
]  # fmt: skip


@pytest.fixture
async def world(stripe: StripeSimulator, start: Start) -> World:
    return await start(workers=0, **billing(stripe), **KEYS, PUBLIC_URL="https://erp.example")


async def send_raw(world: World, method: str, path: bytes, *headers: bytes) -> bytes:
    """The answer to a request whose bytes are sent unchanged."""
    host, port = world.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = (b"%b %b HTTP/1.1" % (method.encode(), path), b"Host: x", b"Connection: close", *headers)
    writer.write(b"\r\n".join((*lines, b"Content-Length: 0", b"", b"")))
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_no_address_and_no_header_breaks_or_opens_an_endpoint(world: World) -> None:
    for method, path, closed in DOORS:
        for hostile in HOSTILE:
            answer = await send_raw(world, method, path.encode() + hostile)
            assert status(answer) in (400, 404, closed), (method, path, hostile)
            assert b"set-cookie" not in answer.lower()
            assert b"Traceback" not in answer
            assert answer[-2:] != b"49", "nothing is rendered"
        for header in HEADERS:
            for value in (b"\xff\xfe", b"\xed\xa0\xbd", b"9" * 5000):
                answer = await send_raw(world, method, path.encode() + b"x", header.encode() + value)
                assert status(answer) in (400, 404, closed), (method, path, header, value)


async def test_a_client_that_hangs_up_within_a_body_leaves_no_fault_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = world.url.removeprefix("http://").split(":")
    for path in ("/webhooks/whatsapp", "/webhooks/stripe", "/push/subscriptions"):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{" % path.encode())
        await writer.drain()
        # The server has read it once the next request is answered.
        await send_raw(world, "GET", b"/healthz")
        writer.close()
        await writer.wait_closed()
        await send_raw(world, "GET", b"/healthz")
    assert caplog.records == []


async def test_a_damaged_compressed_body_is_415_and_leaves_no_fault_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/webhooks/whatsapp", "/webhooks/stripe", "/push/subscriptions"):
        for _ in range(2):
            async with world.http.post(
                f"{world.url}{path}", data=b"\x1f\x8bgarbage", headers={"Content-Encoding": "gzip"}
            ) as response:
                assert response.status == 415, path
    assert caplog.records == []


async def test_every_wrong_token_gets_the_same_answer(world: World) -> None:
    files = files_of(world.redis, world.settings)
    kept = await files.keep(CONVERSATION, "a.pdf", "application/pdf", b"%PDF-")
    good = (await files.link(CONVERSATION, kept)).rpartition("/")[2]
    body, _, mac = good.partition(".")
    over = files_of(world.redis, world.settings)
    over._seconds = -5
    old = (await over.link(CONVERSATION, kept)).rpartition("/")[2]
    said = set()
    for token in (
        old,
        f"{body}.{mac[:-2]}AA",
        f"{body}A.{mac}",
        body,
        f".{mac}",
        "x",
        "x.y",
        f"{good}A",
        f"{body}..{mac}",
    ):
        async with world.http.get(f"{world.url}/files/{token}") as response:
            said.add((response.status, await response.text(), tuple(sorted(set(response.headers) - {"Date"}))))
    assert len(said) == 1
    tokens = ("console-toke", "console-token2", "x", "", "console-token console-token")
    said = set()
    for token in tokens:
        async with world.http.get(f"{world.url}/console/events", headers={"Authorization": f"Bearer {token}"}) as no:
            said.add((no.status, await no.text(), tuple(sorted(set(no.headers) - {"Date"}))))
    assert len(said) == 1


async def test_answers_carry_the_headers_that_they_need(world: World) -> None:
    files = files_of(world.redis, world.settings)
    kept = await files.keep(CONVERSATION, "a.html", "text/html", b"<script>alert(1)</script>")
    link = (await files.link(CONVERSATION, kept)).replace("https://erp.example", world.url)
    page = f"{world.url}/push/{await InvitationLinks(world.redis).token(CONVERSATION)}"
    console = {"Authorization": "Bearer console-token"}
    personal = [
        ("GET", link, {}), ("GET", page, {}), ("GET", f"{world.url}/files/x", {}), ("GET", f"{world.url}/push/x", {}),
        ("GET", f"{world.url}/push/manifest.webmanifest?token={page.rpartition('/')[2]}", {}),
        ("POST", f"{world.url}/push/subscriptions", {}), ("GET", f"{world.url}/console/events", console),
        ("GET", f"{world.url}/console/events", {}),
        ("POST", f"{world.url}/console/conversations/{CONVERSATION}/give-back", console),
    ]  # fmt: skip
    for method, url, headers in personal:
        async with world.http.request(method, url, headers=headers) as response:
            where = (method, url, response.status)
            assert "no-store" in response.headers.get("Cache-Control", ""), where
            assert response.headers.get("X-Content-Type-Options") == "nosniff", where
            assert response.headers.get("Referrer-Policy") == "no-referrer", where
            assert "default-src 'none'" in response.headers.get("Content-Security-Policy", ""), where
            assert "Set-Cookie" not in response.headers, where
    async with world.http.get(link) as response:
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert "sandbox" in response.headers["Content-Security-Policy"]
    async with world.http.get(page) as response:
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    query = "hub.mode=subscribe&hub.verify_token=verify&hub.challenge=<script>"
    async with world.http.get(f"{world.url}/webhooks/whatsapp?{query}") as response:
        assert (response.content_type, response.headers["X-Content-Type-Options"]) == ("text/plain", "nosniff")


async def test_the_sandbox_sends_its_headers_and_takes_no_orders_from_other_sites(tmp_path: Path) -> None:
    async with open_company(Settings(), "127.0.0.1", 0, tmp_path) as page, aiohttp.ClientSession() as http:
        for path in ("", "files", "mails", "events-out", "pushes"):
            async with http.get(f"{page}{path}") as response:
                assert response.status == 200, path
                assert response.headers["X-Content-Type-Options"] == "nosniff", path
                assert "default-src 'none'" in response.headers["Content-Security-Policy"], path
                assert response.headers["Referrer-Policy"] == "no-referrer", path
                assert "Set-Cookie" not in response.headers, path
        for path in ("messages", "give-back", "push/browser"):
            for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
                async with http.post(f"{page}{path}", headers=headers, data={}) as response:
                    assert response.status == 403, (path, headers)


HOSTS = [
    ("127.0.0.1", 200), ("127.8.8.8:1", 200), ("localhost:{port}", 200), ("LOCALHOST.", 200), ("[::1]:80", 200),
    ("recado.localhost", 200), ("evil.example", 403), ("evil.example:{port}", 403), ("localhost.evil.example", 403),
    ("127.0.0.1.evil.example", 403), ("127.0.0.1@evil.example", 403), ("10.0.0.9", 403), ("0.0.0.0", 403),
    ("2130706433", 403), ("[::1", 403), ("", 403), ("localhost\r\nHost: evil.example", 403),
]  # fmt: skip


@pytest.mark.xdist_group("sandbox")
async def test_the_sandbox_is_for_who_calls_it_by_its_own_name(tmp_path: Path) -> None:
    async with open_company(Settings(), "127.0.0.1", 0, tmp_path) as page:
        url = page.removesuffix("/sandbox/")
        port = url.rpartition(":")[2]
        for path in ("/sandbox/", "/metrics", "/"):
            for host, expected in HOSTS:
                async with await Wire.to(url) as wire:
                    wire.drip(f"GET {path} HTTP/1.1\r\nHost: {host.format(port=port)}\r\n\r\n".encode())
                    found, headers, _ = await wire.answer()
                    assert (200 if found == 302 else found) in (expected, 400 if "\r" in host else expected), host
                    assert "access-control-allow-origin" not in headers
        # Signed webhooks may come through a tunnel of any name.
        assert (await asked(url, "GET", "/webhooks/whatsapp", host="tunnel.example"))[0] == 403
        assert b"verify token" in (await asked(url, "GET", "/webhooks/whatsapp", host="tunnel.example"))[2]
        for path in ("/sandbox/messages", "/sandbox/stripe-pages/pay"):
            for origin in ("https://evil.example", "null", f"http://localhost:{port}", "http://127.0.0.1"):
                sent = (f"Origin: {origin}", "Content-Length: 0")
                assert (await asked(url, "POST", path, *sent, host=f"127.0.0.1:{port}"))[0] == 403, (path, origin)
            other = ("Sec-Fetch-Site: cross-site", "Content-Length: 0")
            assert (await asked(url, "POST", path, *other, host=f"127.0.0.1:{port}"))[0] == 403
            own = (f"Origin: {url}", "Sec-Fetch-Site: same-origin", "Content-Length: 0")
            assert (await asked(url, "POST", path, *own, host=f"127.0.0.1:{port}"))[0] in (400, 404, 405)


@pytest.mark.parametrize(
    ("host", "by", "open_"),
    [
        ("0.0.0.0", "192.168.1.20:8080", True), ("0.0.0.0", "evil.example", False), ("::", "[fd00::1]:8080", True),
        ("shop.lan", "shop.lan:8080", True), ("shop.lan", "evil.lan", False), ("192.168.1.20", "192.168.1.21", False),
        ("192.168.1.20", "192.168.1.20:8080", True), ("::1", "[::1]:8080", True),
        ("0.0.0.0", "recado.example.ngrok.app", True), ("127.0.0.1", "recado.example.ngrok.app", False),
    ],
)  # fmt: skip
async def test_the_sandbox_is_called_by_what_was_given_as_its_host(host: str, by: str, *, open_: bool) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(middlewares=[own_hosts_only(host, "https://recado.example.ngrok.app")])
    for path in ("/sandbox/", "/sandbox/stripe-pages/pay", "/console/"):
        app.router.add_get(path, page)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        assert (await asked(url, "GET", "/sandbox/", host=by))[0] == (200 if open_ else 403)
        # A tunnel's own name reaches what customers and operators get links to.
        public = by.endswith(".app")
        for path in ("/sandbox/stripe-pages/pay", "/console/"):
            assert (await asked(url, "GET", path, host=by))[0] == (200 if open_ or public else 403), path

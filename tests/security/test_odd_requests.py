"""Malformed requests get an answer without a fault, without version hints, and without a way in for other sites."""

import pytest

from bot.whatsapp.signature import signature_of
from tests.integrations.push.test_push_routes import KEYS
from tests.rows import each
from tests.wire import Wire, asked
from tests.world import SECRET, Start, World

PATHS = [
    "/healthz", "/readyz", "/metrics", "/webhooks/whatsapp", "/push/public-key", "/push/subscriptions", "/push/abc",
    "/push/page.js", "/files/abc", "/console/events", "/", "/nowhere",
]  # fmt: skip
SIGNED = f"X-Hub-Signature-256: {signature_of(b'{}', SECRET)}"
CHALLENGE = "GET", "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=verify&hub.challenge="


@pytest.fixture
async def world(start: Start) -> World:
    return await start(workers=0, **KEYS)


@each("path", PATHS)
async def test_every_answer_has_its_headers_and_no_version(world: World, path: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "PROPFIND", "get"):
        async with await Wire.to(world.url) as wire:
            wire.send(method, path, "Origin: https://evil.example", "Connection: close", "Content-Length: 0")
            whole = await wire.reader.read()
        head = whole.split(b"\r\n\r\n")[0].decode("latin-1").lower()
        assert int(head.split()[1]) in (200, 400, 401, 403, 404, 405), (method, head)
        assert "server: aiohttp" not in head
        assert "python" not in head
        assert "access-control-" not in head
        assert "x-content-type-options: nosniff" in head, method
        if "server: recado" not in head:
            assert "content-security-policy: " in head
            assert "referrer-policy: no-referrer" in head
        assert b"evil.example" not in whole


@each(
    "sent",
    [
        b"\r\n\r\nhola\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: 1\r\n" * 300 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)  # fmt: skip
async def test_bytes_that_are_no_request_are_400_in_words_of_ours(world: World, sent: bytes) -> None:
    async with await Wire.to(world.url) as wire:
        wire.drip(sent)
        status, headers, body = await wire.answer()
        assert (status, headers["server"], headers["x-content-type-options"]) == (400, "recado", "nosniff")
        assert body == b"the request can't be read"
        assert await wire.ended()
    assert (await asked(world.url, "GET", "/healthz"))[0] == 200


async def test_a_body_in_pieces_with_trailers_is_taken_and_its_trailers_are_not(world: World) -> None:
    async with await Wire.to(world.url) as wire:
        wire.send("POST", "/webhooks/whatsapp", "Transfer-Encoding: chunked", "Trailer: X-Hub-Signature-256", SIGNED)
        wire.drip(b"1\r\n{\r\n1\r\n}\r\n0\r\nX-Hub-Signature-256: sha256=0\r\n\r\n")
        assert (await wire.answer())[0] == 200
    async with await Wire.to(world.url) as wire:
        wire.send("POST", "/webhooks/whatsapp", "Transfer-Encoding: chunked", "Trailer: X-Hub-Signature-256")
        wire.drip(b"2\r\n{}\r\n0\r\n" + SIGNED.encode() + b"\r\n\r\n")
        assert (await wire.answer())[0] == 401


async def test_who_asks_first_whether_to_send_is_told(world: World) -> None:
    async with await Wire.to(world.url) as wire:
        wire.send("POST", "/webhooks/whatsapp", "Expect: 100-continue", "Content-Length: 2", SIGNED)
        assert (await wire.answer())[0] == 100
        wire.drip(b"{}")
        assert (await wire.answer())[0] == 200
    status, _, _ = await asked(world.url, "POST", "/webhooks/whatsapp", "Expect: tea", "Content-Length: 2", SIGNED)
    assert status == 417


async def test_nobody_gets_a_web_socket(world: World) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA==")
    for path in ("/healthz", "/console/events", "/push/public-key"):
        assert (await asked(world.url, "GET", path, *upgrade))[0] in (200, 401)


@each(
    ("challenge", "status"),
    [
        ("1158201444", 200), ("", 403), ("a" * 256, 200), ("a" * 257, 403), ("%0d%0aSet-Cookie:%20a=b", 403),
        ("%00", 403), ("%1b%5b2J", 403), ("<script>", 200), ("%E2%80%AEabc", 403),
    ],
)  # fmt: skip
async def test_a_challenge_comes_back_as_plain_text_or_not_at_all(world: World, challenge: str, status: int) -> None:
    found, headers, body = await asked(world.url, CHALLENGE[0], CHALLENGE[1] + challenge)
    assert found == status
    assert "set-cookie" not in headers
    assert headers["content-type"].startswith("text/plain")
    if status == 200:
        assert body.decode() == challenge


async def test_many_requests_at_once_on_one_connection_are_answered_in_order(world: World) -> None:
    async with await Wire.to(world.url) as wire:
        for path in ["/healthz", "/nowhere"] * 40:
            wire.send("GET", path)
        assert [(await wire.answer())[0] for _ in range(80)] == [200, 404] * 40

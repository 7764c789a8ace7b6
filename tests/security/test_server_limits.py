"""Strangers can't exhaust the server: bodies, headers, silence, connections and files have limits."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot.web.app import create_app
from bot.web.connections import ConnectionLimits
from bot.web.request_bodies import BODIES, RequestBodies
from bot.web.server import listening
from bot.whatsapp.signature import signature_of
from tests.processes import eventually
from tests.rows import each
from tests.waiting import PATIENCE
from tests.wire import Wire, asked
from tests.world import SECRET, Start, World

SIGNED = f"X-Hub-Signature-256: {signature_of(b'{}', SECRET)}"
STRIPE = {"STRIPE_SECRET_KEY": "sk_test_123", "STRIPE_WEBHOOK_SECRET": "whsec_of_the_tests"}
DOORS = ["/webhooks/whatsapp", "/webhooks/stripe", "/push/subscriptions"]
Serve = Callable[..., AbstractAsyncContextManager[str]]
Connect = Callable[[str], Awaitable[Wire]]


@pytest.fixture
async def world(start: Start) -> World:
    return await start(workers=0, **STRIPE)


@pytest.fixture
def serve(world: World) -> Serve:
    """Another server of this world, with its own limits."""

    @asynccontextmanager
    async def begin(bodies: RequestBodies | None = None, **limits: float) -> AsyncIterator[str]:
        app = create_app(world.settings)
        if bodies:
            app[BODIES] = bodies
        async with listening(app, "127.0.0.1", 0, limits=ConnectionLimits(watch_seconds=0.05, **limits)) as url:  # type: ignore[arg-type]
            yield url

    return begin


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connections that are closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def begin(url: str) -> Wire:
            return await stack.enter_async_context(await Wire.to(url))

        yield begin


async def refusals(world: World, reason: str) -> float:
    async with world.http.get(f"{world.url}/metrics") as response:
        page = (await response.text()).splitlines()
    name = f'recado_http_refused_total{{reason="{reason}"}}'
    return sum(float(line.split()[-1]) for line in page if line.startswith(name))


@each("path", [*DOORS, "/nowhere"])
@each("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "GZIP", "identity, gzip", "gzip, gzip"])
async def test_a_compressed_body_is_refused_before_it_is_sent(world: World, path: str, encoding: str) -> None:
    headers = (f"Content-Encoding: {encoding}", "Content-Length: 1000000", SIGNED)
    status, answered, _ = await asked(world.url, "POST", path, *headers)
    assert (status, answered["accept-encoding"]) == (415, "identity")


async def test_a_body_that_says_it_is_plain_is_taken(world: World) -> None:
    headers = ("Content-Encoding: identity", "Content-Length: 2", SIGNED)
    assert (await asked(world.url, "POST", "/webhooks/whatsapp", *headers, body=b"{}"))[0] == 200


@each(
    "headers",
    [
        (),
        ("X-Hub-Signature-256: ",),
        ("X-Hub-Signature-256: sha256=",),
        ("X-Hub-Signature-256: sha1=" + "0" * 40,),
        ("X-Hub-Signature-256: sha256=" + "0" * 63,),
        ("X-Hub-Signature: sha256=" + "0" * 64,),
        (SIGNED, SIGNED),
        (SIGNED, "X-Hub-Signature-256: sha256=" + "0" * 64),
    ],
    ids=["none", "empty", "no digits", "SHA-1", "too short", "old header", "twice", "two"],
)
async def test_nobody_waits_for_a_body_without_a_signature(world: World, headers: tuple[str, ...]) -> None:
    assert (await asked(world.url, "POST", "/webhooks/whatsapp", "Content-Length: 4000000", *headers))[0] == 401


@each("headers", [(), ("Stripe-Signature: t=1",), ("Stripe-Signature: t=1,v1=a",) * 2])
async def test_nobody_waits_for_an_event_without_a_signature(world: World, headers: tuple[str, ...]) -> None:
    assert (await asked(world.url, "POST", "/webhooks/stripe", "Content-Length: 900000", *headers))[0] == 400


@each(
    ("path", "length"),
    [(DOORS[0], 4 * 1024**2 + 1), (DOORS[0], 10**15), (DOORS[1], 1024**2 + 1), (DOORS[1], 4 * 1024**2)],
)
async def test_nobody_waits_for_a_body_that_is_too_large(world: World, path: str, length: int) -> None:
    headers = (f"Content-Length: {length}", SIGNED, "Stripe-Signature: t=1,v1=a")
    assert (await asked(world.url, "POST", path, *headers))[0] == 413


async def test_pieces_are_counted_where_no_length_is_given(world: World) -> None:
    async with await Wire.to(world.url) as wire:
        wire.send("POST", "/webhooks/stripe", "Transfer-Encoding: chunked", "Stripe-Signature: t=1,v1=a")
        for _ in range(9):
            wire.drip(b"20000\r\n" + b" " * 0x20000 + b"\r\n")
        assert (await wire.answer())[0] == 413


async def test_the_oldest_unfinished_body_makes_room(serve: Serve, connect: Connect) -> None:
    async with serve(RequestBodies(most_bytes=100_000)) as url:
        wires = [await connect(url) for _ in range(4)]
        for wire in wires:
            wire.send("POST", DOORS[0], "Content-Length: 40001", SIGNED, body=b" " * 40_000)
            # The next one comes later.
            assert (await asked(url, "GET", "/healthz"))[0] == 200
        # Three of them are 120,000 bytes, four 160,000: the two oldest were dropped, the others are stored whole.
        assert [(await wire.answer())[0] for wire in wires[:2]] == [503, 503]
        for wire in wires[2:]:
            wire.drip(b" ")
        assert [(await wire.answer())[0] for wire in wires[2:]] == [401, 401]
        headers = ("Content-Length: 2", SIGNED)
        assert (await asked(url, "POST", DOORS[0], *headers, body=b"{}"))[0] == 200


@pytest.mark.parametrize("path", DOORS[:2])
@pytest.mark.parametrize("drips", [False, True])
async def test_a_body_that_takes_too_long_is_408(serve: Serve, path: str, *, drips: bool) -> None:
    async with serve(RequestBodies(seconds=0.3), lingering_seconds=0.1) as url, await Wire.to(url) as wire:
        wire.send("POST", path, "Content-Length: 100000", SIGNED, "Stripe-Signature: t=1,v1=a")

        async def drip() -> None:
            while drips:
                wire.drip(b" ")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert (await wire.answer())[0] == 408
        dripping.cancel()
        assert await wire.ended()


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 4000])
async def test_headers_that_never_end_are_cut_off_and_idle_connections_are_not(serve: Serve, begun: bytes) -> None:
    async with serve(header_seconds=0.3) as url, await Wire.to(url) as idle, await Wire.to(url) as slow:
        idle.send("GET", "/healthz")
        assert (await idle.answer())[0] == 200
        slow.drip(begun[:1])
        slow.drip(begun[1:])
        assert await slow.ended()
        # A second request on the same connection is limited too.
        async with await Wire.to(url) as again:
            again.send("GET", "/healthz")
            assert (await again.answer())[0] == 200
            again.drip(begun)
            assert await again.ended()
        idle.send("GET", "/healthz")
        assert (await idle.answer())[0] == 200


async def test_a_silent_connection_ends(serve: Serve) -> None:
    async with serve(idle_seconds=0.3) as url, await Wire.to(url) as silent:
        assert await silent.ended()


async def test_idle_connections_keep_nobody_out(serve: Serve, connect: Connect, world: World) -> None:
    before = await refusals(world, "connection_made_room")
    async with serve(connections=4) as url:
        used = await connect(url)
        silent = [await connect(url) for _ in range(3)]
        used.send("GET", "/healthz")
        assert (await used.answer())[0] == 200
        for _ in range(3):
            newcomer = await connect(url)
            newcomer.send("GET", "/healthz")
            assert (await newcomer.answer())[0] == 200
        # Idle connections were closed; the one that sent a request is still open.
        assert [await connection.ended() for connection in silent] == [True] * 3
        used.send("GET", "/healthz")
        assert (await used.answer())[0] == 200
    assert await refusals(world, "connection_made_room") == before + 3


async def test_where_all_are_being_answered_a_newcomer_is_asked_to_come_again(serve: Serve, connect: Connect) -> None:
    async with serve(connections=2) as url:
        streams = [await connect(url) for _ in range(2)]
        for stream in streams:
            stream.send("GET", "/console/events", "Authorization: Bearer console-token")
            assert (await stream.answer())[0] == 200
        status, headers, _ = await asked(url, "GET", "/healthz")
        assert (status, headers["retry-after"]) == (503, "1")
        streams[0].writer.close()

        async def healthy() -> bool:
            return (await asked(url, "GET", "/healthz"))[0] == 200

        await eventually(healthy)


async def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    over = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(100_000))
        finally:
            over.set()

    app = web.Application()
    app.router.add_get("/", endless)
    limits = ConnectionLimits(unread_seconds=0.3, watch_seconds=0.05)
    async with (
        listening(app, "127.0.0.1", 0, finish=0.1, limits=limits) as url,
        await Wire.to(url, buffer=4096) as wire,
        asyncio.timeout(PATIENCE),
    ):
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined] # transports that read have it
        wire.send("GET", "/")
        await over.wait()


async def test_a_process_with_few_files_takes_all_it_may_have_and_still_answers(
    world: World, connect: Connect, tmp_path: Path
) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 160)); "
        "from bot.__main__ import main; sys.argv = ['recado', 'serve', '--host', '127.0.0.1', '--port', '0']; main()"
    )
    log = tmp_path / "log"
    with log.open("w") as told:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=told)
    try:

        async def ready() -> str:
            lines = [line for line in log.read_text().splitlines() if '"server_ready"' in line]
            return lines[0].partition('"port": ')[2].partition(",")[0] if lines else ""

        url = f"http://127.0.0.1:{await eventually(ready, 60)}"
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (160, 160)
        held = [await connect(url) for _ in range(200)]
        for connection in held:
            connection.drip(b"GET ")
        assert (await asked(url, "GET", "/healthz"))[0] == 200
        assert (await asked(url, "GET", "/readyz"))[0] == 200
        _, _, page = await asked(url, "GET", "/metrics")
        assert b'recado_http_refused_total{reason="connection_made_room"}' in page
        assert '"connection_made_room"' in log.read_text()
    finally:
        process.terminate()
        await process.wait()

"""Tokens of operators and of Prometheus: guesses are limited, and a stranger can't lock anybody out."""

import base64

import aiohttp
import pytest

from bot.web.console.token_routes import MOST_STREAMS
from tests.processes import eventually
from tests.rows import each
from tests.wire import asked
from tests.world import Start, World

CONSOLE = ("POST", f"/console/conversations/c_{'0' * 20}/give-back")
METRICS = ("GET", "/metrics")
TOKEN = "metrics-token-of-the-tests"
RIGHT = {CONSOLE: "Bearer console-token", METRICS: f"Bearer {TOKEN}"}
# The right token reaches a 404, because the conversation doesn't exist.
PASSED = {CONSOLE: 404, METRICS: 200}
ENDPOINTS = pytest.mark.parametrize("endpoint", [CONSOLE, METRICS], ids=["console", "metrics"])


@pytest.fixture
async def world(start: Start) -> World:
    return await start(workers=0, METRICS_TOKEN=TOKEN)


def basic(password: str, name: str = "prometheus") -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


async def request_status(world: World, endpoint: tuple[str, str], authorization: str | None, *more: str) -> int:
    headers = [f"Authorization: {authorization}"] if authorization is not None else []
    status, given, _ = await asked(world.url, *endpoint, *headers, *more, "Content-Length: 0")
    assert ("www-authenticate" in given) == (status == 401)
    assert ("retry-after" in given) == (status == 429)
    return status


@ENDPOINTS
async def test_a_client_that_guesses_is_sent_away_even_when_it_guesses_right(
    world: World, endpoint: tuple[str, str]
) -> None:
    # As a server for both protocols writes an IPv4 client.
    seen = "X-Forwarded-For: 8.8.8.8, ::ffff:203.0.113.9"
    found = [await request_status(world, endpoint, f"Bearer wrong{number}", seen) for number in range(15)]
    assert found == [401] * 10 + [429] * 5
    assert await request_status(world, endpoint, RIGHT[endpoint], seen) == 429
    # Only the last address comes from our proxy; other clients aren't limited.
    for other in (
        "X-Forwarded-For: 203.0.113.9, 198.51.100.7",
        "X-Forwarded-For: 2001:db8::1",
        "X-Forwarded-For: ::ffff:198.51.100.8",
    ):
        assert await request_status(world, endpoint, RIGHT[endpoint], other) == PASSED[endpoint]


@ENDPOINTS
async def test_a_client_does_not_become_another_within_its_network(world: World, endpoint: tuple[str, str]) -> None:
    found = [
        await request_status(world, endpoint, "Bearer no", f"X-Forwarded-For: 2001:db8::{n:x}") for n in range(1, 16)
    ]
    assert found == [401] * 10 + [429] * 5


@ENDPOINTS
@pytest.mark.parametrize("seen", [(), ("X-Forwarded-For: who knows",), ("X-Forwarded-For: ",)])
async def test_a_stranger_behind_the_same_proxy_locks_nobody_out(
    world: World, endpoint: tuple[str, str], seen: tuple[str, ...]
) -> None:
    found = [await request_status(world, endpoint, "Bearer wrong", *seen) for _ in range(12)]
    assert found == [401] * 10 + [429] * 2
    assert await request_status(world, endpoint, RIGHT[endpoint], *seen) == PASSED[endpoint]


@ENDPOINTS
async def test_wrong_tokens_are_counted_and_missing_ones_are_not(world: World, endpoint: tuple[str, str]) -> None:
    async def counted() -> float:
        _, _, page = await asked(world.url, *METRICS, f"Authorization: {RIGHT[METRICS]}")
        name = "console" if endpoint == CONSOLE else "metrics"
        start = f'recado_http_refused_total{{reason="{name}_token"}}'
        return sum(float(line.split()[-1]) for line in page.decode().splitlines() if line.startswith(start))

    before = await counted()
    for _ in range(12):
        assert await request_status(world, endpoint, None) == 401
    for wrong in ("Bearer wrong", "Bearer", basic("wrong")):
        assert await request_status(world, endpoint, wrong) == 401
    assert await counted() == before + 3


@each("given", [f"bearer {TOKEN}", f"Bearer  {TOKEN}", basic(TOKEN), basic(TOKEN, ""), basic(TOKEN, "ñ")])
async def test_prometheus_shows_the_token_either_way(world: World, given: str) -> None:
    assert await request_status(world, METRICS, given) == 200


@pytest.mark.parametrize(
    "given",
    [
        "", "Bearer", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer console-token", "Basic !!", "Basic ",
        basic("", TOKEN), basic(TOKEN)[:-4], f"Digest {TOKEN}", "Bearer \xff\xfe",
    ],
)  # fmt: skip
async def test_anything_else_is_no_token(world: World, given: str) -> None:
    assert await request_status(world, METRICS, given) == 401


async def test_two_tokens_are_none(world: World) -> None:
    assert await request_status(world, METRICS, RIGHT[METRICS], f"Authorization: {RIGHT[METRICS]}") == 401
    assert await request_status(world, CONSOLE, RIGHT[CONSOLE], "Authorization: Bearer x") == 401


async def test_basic_is_no_way_into_the_console(world: World) -> None:
    assert await request_status(world, CONSOLE, basic("console-token")) == 401


@pytest.mark.parametrize("given", [None, "Bearer anything"])
async def test_without_a_token_the_metrics_are_open(start: Start, given: str | None) -> None:
    assert await request_status(await start(workers=0), METRICS, given) == 200


async def test_what_waits_is_counted_exactly_over_thousands_of_conversations(start: Start) -> None:
    world = await start(workers=0)
    pipeline = world.redis.pipeline(transaction=False)
    for number in range(2500):
        name = f"c_{number:020x}"
        pipeline.zadd("recado:open", {name: number})
        # The index may name a conversation without waiting messages.
        if waiting := number % 4:
            pipeline.rpush(f"recado:{{{name}}}:waiting", *["{}"] * waiting)
    await pipeline.execute()
    status, _, page = await asked(world.url, *METRICS)
    assert (status, page.count(b"\nrecado_messages_unaccounted 3750.0\n")) == (200, 1)


async def test_pages_of_the_console_have_a_limit(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    # A page that was closed is noticed by its heartbeat.
    monkeypatch.setattr("bot.web.console.token_routes._HEARTBEAT_SECONDS", 0.2)
    world = await start(workers=0)
    headers = {"Authorization": "Bearer console-token"}
    events = f"{world.url}/console/events"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as http:
        streams = [await http.get(events) for _ in range(MOST_STREAMS)]
        assert {stream.status for stream in streams} == {200}
        async with http.get(events) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
        async with http.head(events) as response:
            assert response.status == 405
        streams.pop().close()

        async def open_again() -> bool:
            async with http.get(events) as response:
                return response.status == 200

        await eventually(open_again)
        for stream in streams:
            stream.close()

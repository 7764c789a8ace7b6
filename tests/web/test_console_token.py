"""Access to the console: with the token only, and for nobody where no token is set."""

import asyncio
import json

import pytest

from bot.conversations.contacts import Contacts
from bot.web.app import create_app
from bot.web.server import listening
from tests.processes import eventually
from tests.waiting import PATIENCE
from tests.world import Start, World

ROUTES = [("GET", "/console/events"), ("POST", f"/console/conversations/c_{'0' * 20}/give-back")]


async def status(world: World, method: str, path: str, *headers: bytes) -> int:
    """The status of a request whose header lines are sent as they are."""
    host, port = world.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\r\n".join((f"{method} {path} HTTP/1.1".encode(), b"Host: x", *headers, b"", b"")))
    async with asyncio.timeout(PATIENCE):
        line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return int(line.split()[1])


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [b"Authorization: Bearer"],
        [b"Authorization: Bearer wrong"],
        [b"Authorization: Bearer console-token2"],
        [b"Authorization: Bearer \xff\xfe"],
        [b"Authorization: Basic Y29uc29sZTp0b2tlbg=="],
    ],
    ids=["nothing", "no token", "wrong", "longer", "binary", "basic"],
)
async def test_without_the_token_nobody_comes_in(start: Start, method: str, path: str, headers: list[bytes]) -> None:
    assert await status(await start(workers=0), method, path, *headers) == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_with_the_token_an_operator_comes_in(start: Start, method: str, path: str) -> None:
    world = await start(workers=0)
    await Contacts(world.redis).set_handed_off(f"c_{'0' * 20}", handed_off=True)
    assert await status(world, method, path, b"Authorization: Bearer console-token") == 200


async def test_while_redis_is_full_an_operator_is_asked_to_try_again(start: Start) -> None:
    world = await start(workers=0)
    await Contacts(world.redis).set_handed_off(f"c_{'0' * 20}", handed_off=True)
    await world.redis.config_set("maxmemory", "1")
    try:
        assert await status(world, *ROUTES[1], b"Authorization: Bearer console-token") == 503
    finally:
        await world.redis.config_set("maxmemory", "0")


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("headers", [[], [b"Authorization: Bearer "], [b"Authorization: Bearer None"]])
async def test_where_no_token_is_set_there_is_no_console(
    start: Start, method: str, path: str, headers: list[bytes]
) -> None:
    world = await start(workers=0, CONSOLE_TOKEN="")
    assert await status(world, method, path, *headers) == 404


async def test_an_open_page_sees_a_hand_over_and_does_not_hold_up_the_servers_end(start: Start) -> None:
    world = await start(workers=0)
    await Contacts(world.redis).set_handed_off(f"c_{'0' * 20}", handed_off=True)
    headers = {"Authorization": "Bearer console-token"}
    server = listening(create_app(world.settings), "127.0.0.1", 0, finish=30)
    url = await server.__aenter__()
    async with world.http.get(f"{url}/console/events", headers=headers) as page:

        async def seen() -> bytes:
            async with world.http.post(f"{url}{ROUTES[1][1]}", headers=headers) as response:
                assert response.status == 200
            return page.content.read_nowait()

        event = json.loads((await eventually(seen)).removeprefix(b"data: ").split(b"\n")[0])
        assert (event["type"], event["on"]) == ("handoff", False)
        # The page stays open: it is the server that has to end the stream.
        async with asyncio.timeout(PATIENCE):
            await server.__aexit__(None, None, None)
            await page.content.read()

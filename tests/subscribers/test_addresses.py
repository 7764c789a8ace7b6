"""No subscriber's address leads into our own network, and none takes more of us than a moment."""

import socket
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.listening import listening
from bot.queues import Later
from tests.subscribers.conftest import TASK, Make


async def test_an_endless_answer_is_not_read(deliveries: Make) -> None:
    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    app = web.Application()
    app.add_routes([web.post("/events", pour)])
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        await deliveries(f"{url}/events").process(TASK)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "[fe80::1]",
        "[fd00:ec2::254]",
    ],
)
async def test_a_private_address_is_refused_in_every_spelling(host: str, deliveries: Make) -> None:
    # aiohttp itself takes the numbers that only look like addresses for no URL.
    with pytest.raises(Later, match=r"WEBHOOK_ALLOW_PRIVATE|InvalidUrl"):
        await deliveries(f"http://{host}:9/events", private=False).process(TASK)


async def test_link_local_addresses_are_refused_even_where_private_ones_are_allowed(deliveries: Make) -> None:
    with pytest.raises(Later, match="private"):
        await deliveries("http://169.254.169.254/latest/meta-data").process(TASK)


class _Rebinding(AbstractResolver):
    """The name server of somebody who wants to get inside: at the moment that counts it names one of our own."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> Any:
        self.asked += 1
        address = "127.0.0.1"
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        return None


async def test_a_name_that_leads_inside_at_the_moment_of_connecting_is_refused(erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    resolver = _Rebinding()
    named = url.replace("127.0.0.1", "hooks.example.com")
    with pytest.raises(Later, match="private"):
        await deliveries(named, private=False, resolver=resolver).process(TASK)
    assert (resolver.asked, erp.calls) == (1, 0)

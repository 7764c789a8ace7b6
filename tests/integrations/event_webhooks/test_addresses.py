"""Subscribers' addresses never lead into our own network, and none holds us up for long."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.infra.guarded_http import allowed
from bot.infra.queues import RetryLater
from bot.web.server import listening
from tests.integrations.event_webhooks.conftest import TASK, Make
from tests.rows import each


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
        "[fe80::1%25lo]",
        "[fec0::1]",
        "[::ffff:0:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        # RFC 6052, 2.2: in a /48 the IPv4 address isn't at the end.
        "[64:ff9b:1:7f00:0:100::]",
        "[2002:a9fe:a9fe::]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[100::1]",
        "[4000::1]",
        "[fd20:ce::254]",
        "[ff02::1]",
        "[::]",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "0.1.2.3",
        "0177.0.0.1",
        "127.0.0.1.",
    ],
)
async def test_a_private_address_is_refused_in_every_spelling(host: str, deliveries: Make) -> None:
    # aiohttp itself refuses numbers that only look like addresses as URLs.
    with pytest.raises(RetryLater, match=r"WEBHOOK_ALLOW_PRIVATE|InvalidUrl"):
        await deliveries(f"http://{host}:9/events", private=False).process(TASK)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "168.63.129.16", "100.100.100.200", "[fd00:ec2::254]", "[fd20:ce::254]", "[fe80::1%25lo]",
        "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[::ffff:0:a9fe:a9fe]", "0.0.0.0",
        "[::]", "224.0.0.1", "[ff02::1]",
    ],
)  # fmt: skip
async def test_clouds_secrets_are_refused_even_where_private_addresses_are_allowed(host: str, deliveries: Make) -> None:
    with pytest.raises(RetryLater, match="private"):
        await deliveries(f"http://{host}/latest/meta-data").process(TASK)


@each("private", [False, True])
@each(
    "address",
    [
        "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "168.63.129.15",
        "172.15.0.1", "172.32.0.1", "192.0.1.1", "192.88.98.1", "198.17.0.1", "198.20.0.1", "223.255.255.255",
        "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8",
    ],
)  # fmt: skip
def test_the_internet_is_allowed(address: str, *, private: bool) -> None:
    assert allowed(ip_address(address), allow_private=private)


@each("address", ["127.0.0.1", "10.1.2.3", "::1", "fd12::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"])
def test_private_addresses_are_allowed_where_somebody_allowed_them(address: str) -> None:
    assert allowed(ip_address(address), allow_private=True)
    assert not allowed(ip_address(address), allow_private=False)


class _Rebinding(AbstractResolver):
    """An attacker's name server: at the decisive moment it names an address of our own network."""

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
    with pytest.raises(RetryLater, match="private"):
        await deliveries(named, private=False, resolver=resolver).process(TASK)
    assert (resolver.asked, erp.calls) == (1, 0)

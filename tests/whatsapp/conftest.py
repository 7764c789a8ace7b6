"""Fixtures of the client's tests."""

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from bot.whatsapp.client import Graph
from tests.whatsapp.graph_servers import Internet, Shelf, settings


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def graph(shelf: Shelf) -> AsyncIterator[Graph]:
    import trustme  # noqa: PLC0415 - heavy

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

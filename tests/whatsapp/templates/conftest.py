"""Fixtures of the templates' tests."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.whatsapp.client import Graph
from bot.whatsapp.templates.files import load
from bot.whatsapp.templates.registry import Templates
from tests.world import Start, World


@pytest.fixture
async def shop(start: Start) -> World:
    """Recado without workers: nobody but the test uses the templates."""
    return await start(workers=0)


@pytest.fixture
async def graph(shop: World) -> AsyncIterator[Graph]:
    async with aiohttp.ClientSession() as http:
        yield Graph(http, shop.settings.whatsapp)


@pytest.fixture
async def templates(shop: World, graph: Graph) -> Templates:
    return Templates(shop.redis, graph, load(shop.settings.service.templates_dir), default_language="es")

"""The stand-in model asks the catalogue for products, and the sandbox has some to find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from pytest_aiohttp.plugin import AiohttpClient
from redis.asyncio import Redis

from bot.catalogue.table import ProductTable
from bot.database.lazy import LazyDatabase
from bot.database.opening import open_current
from bot.products.catalogue import Catalogue
from bot.settings import Settings
from sandbox.phone.catalogue import list_products_handler
from sandbox.sample_catalogue import add_sample_products
from sandbox.simulators.rule_based_model import answer_by_rules

_TOOLS = [{"function": {"name": name}} for name in ("find_products", "list_plans", "talk_to_a_person")]


def called(said: str) -> tuple[str, dict[str, Any]] | None:
    calls = answer_by_rules([{"role": "user", "content": said}], _TOOLS).get("tool_calls")
    return (calls[0]["function"]["name"], json.loads(calls[0]["function"]["arguments"])) if calls else None


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("¿Cuánto cuesta el detergente Lunaria?", {"words": "detergente Lunaria"}),
        ("¿Tienen leche?", {"words": "leche"}),
        ("how much is the coffee, please?", {"words": "café"}),
        ("<photo><text_read>x</text_read></photo>¿tienen éste?", {"photo": True}),
        (
            "<asking_about_product><catalog>7</catalog><product>DET-3L</product></asking_about_product>¿Y?",
            {"code": "DET-3L"},
        ),
        ("<tapped><title>Leche: Vaquita · 28.50 MXN · LEC-E1</title></tapped>", {"code": "LEC-E1"}),
    ],
)
def test_questions_about_products_ask_the_catalogue(said: str, arguments: dict[str, Any]) -> None:
    assert called(said) == ("find_products", arguments)


@pytest.mark.parametrize("said", ["¿Cuánto cuesta el plan pro?", "¿Qué planes tienen?", "¿Cuánto cuesta?", "Hola"])
def test_questions_about_plans_do_not(said: str) -> None:
    assert called(said) in (None, ("list_plans", {}))


async def test_an_empty_catalogue_gets_the_sample_once_and_the_page_shows_it(
    tmp_path: Path, redis: Redis, aiohttp_client: AiohttpClient
) -> None:
    settings = Settings()
    url = f"sqlite:///{tmp_path / 'recado.db'}"
    settings.database = settings.database.model_copy(update={"url": SecretStr(url)})
    await add_sample_products(settings)
    database = await open_current(url)
    table = ProductTable(database)
    assert len(await table.all()) > 30
    assert (await table.by_code("7503001234564"))[0].sku == "DET-3L"
    page = web.Application()
    shown = LazyDatabase(settings.database)
    page.router.add_get("/catalogue", list_products_handler(Catalogue(redis), shown))
    client = await aiohttp_client(page)
    listed = await (await client.get("/catalogue")).json()
    assert {"name": "Cajón de dinero", "brand": "Tikon"} in [product["fields"] for product in listed]
    assert len(listed) > 30
    revision = await table.latest_revision()
    await add_sample_products(settings)
    assert await table.latest_revision() == revision
    await database.close()
    await shown.close()

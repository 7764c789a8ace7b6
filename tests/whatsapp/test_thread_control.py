"""The client's calls that move a thread, against Meta's simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.whatsapp.client import Graph
from bot.whatsapp.errors import THREAD_OF_ANOTHER, GraphError, Remedy
from sandbox.meta.simulator import MetaSimulator, Person
from tests.whatsapp.graph_servers import TOKEN, settings


@pytest.fixture
async def meta() -> AsyncIterator[MetaSimulator]:
    found = MetaSimulator(
        webhook_url="http://127.0.0.1:9/", app_secret="s", access_token=TOKEN, verify_token="v", retry_pauses=()
    )
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def metas(meta: MetaSimulator) -> AsyncIterator[Graph]:
    whatsapp = settings(meta.media.base_url).model_copy(update={"phone_number_id": meta.phone_number_id})
    async with aiohttp.ClientSession() as http:
        yield Graph(http, whatsapp)


@pytest.mark.parametrize("named_by", ["phone", "bsuid", "both"])
async def test_a_thread_is_taken_released_and_passed(
    meta: MetaSimulator, metas: Graph, ana: Person, named_by: str
) -> None:
    phone = None if named_by == "bsuid" else ana.phone
    bsuid = None if named_by == "phone" else ana.bsuid
    await meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    meta.routing.give(ana, "other")
    await metas.thread_control("take", phone, bsuid)
    await metas.thread_control("pass", phone, bsuid)
    with pytest.raises(GraphError) as caught:
        await metas.thread_control("release", phone, bsuid)
    assert (caught.value.code, caught.value.remedy) == (THREAD_OF_ANOTHER, Remedy.GIVE_UP)
    assert meta.routing.actions == ["take", "pass"]

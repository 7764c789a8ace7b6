"""Calls of the Graph API: what leaves, and how refusals and silence are named."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.whatsapp import client
from bot.whatsapp.client import File, Graph, MediaGone
from bot.whatsapp.errors import GraphError, MetaUnavailable, Remedy
from sandbox.meta.simulator import MetaSimulator, Person
from tests.whatsapp.graph_servers import LIMIT, PHOTO, TOKEN, Shelf, cut_short, dripping, settings

SENT = json.dumps({"messages": [{"id": "wamid.1"}]})


@pytest.mark.parametrize(
    ("answer", "in_doubt"),
    [
        (web.Response(status=502, text="<html>"), True),
        (web.Response(status=500), True),
        (web.Response(status=404, text="<html>"), False),
        (web.Response(text="<html>"), True),
        (web.Response(text="[]"), True),
        (web.Response(text='{"messages": []}'), True),
        (web.Response(text='{"messages": [{"id": ""}]}'), True),
        (web.Response(text='{"messages": {"id": 1}}'), True),
        (web.Response(body=b"\xff\xfe"), True),
        (web.Response(text="[" * 100_000), True),
        (cut_short, True),
        (dripping, True),
    ],
    ids=[
        "html 502",
        "500",
        "html 404",
        "html 200",
        "list",
        "no message",
        "empty id",
        "odd messages",
        "binary",
        "too deep",
        "cut",
        "dripping",
    ],
)
async def test_an_answer_that_is_none_says_whether_the_message_may_have_left(
    graph: Graph, shelf: Shelf, answer: Any, in_doubt: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_CALL", aiohttp.ClientTimeout(total=0.4))
    shelf.answers["/v26.0/1060/messages"] = answer
    with pytest.raises(MetaUnavailable) as caught:
        await graph.send({"type": "text"})
    assert caught.value.in_doubt is in_doubt


async def test_where_nobody_listens_nothing_has_left() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(MetaUnavailable) as caught:
            await Graph(http, settings("http://127.0.0.1:9")).send({"type": "text"})
    assert not caught.value.in_doubt


async def test_a_message_goes_to_the_number_that_was_written_to(graph: Graph, shelf: Shelf) -> None:
    shelf.answers |= {f"/v26.0/{number}/messages": SENT.encode() for number in ("1060", "2070")}
    assert await graph.send({"type": "text"}) == "wamid.1"
    assert await graph.send({"type": "text"}, "2070") == "wamid.1"
    assert [host for host, _ in shelf.seen] == [f"graph.internal/v26.0/{number}/messages" for number in (1060, 2070)]
    assert [json.loads(body) for body in shelf.bodies] == [{"type": "text"}] * 2


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


async def test_a_persons_file_is_fetched_as_it_was_sent(meta: MetaSimulator, metas: Graph) -> None:
    kept = meta.media.receive(PHOTO, "image/jpeg")
    assert await metas.fetch(kept.id, limit=LIMIT, sha256=kept.sha256_base64) == File(PHOTO, "image/jpeg")


async def test_a_file_that_meta_does_not_have_is_gone(metas: Graph) -> None:
    with pytest.raises(MediaGone):
        await metas.fetch("1234567890123456", limit=LIMIT)


async def test_a_refusal_carries_metas_code_and_what_to_do(meta: MetaSimulator, metas: Graph, ana: Person) -> None:
    message = {"messaging_product": "whatsapp", "to": f"+{ana.phone}", "type": "text", "text": {"body": "hola"}}
    await meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    meta.will_refuse(131056)
    with pytest.raises(GraphError) as caught:
        await metas.send(message)
    assert (caught.value.code, caught.value.remedy) == (131056, Remedy.RETRY)


async def test_a_token_that_meta_does_not_take_is_told_and_not_shown(meta: MetaSimulator) -> None:
    wrong = settings(meta.media.base_url).model_copy(update={"access_token": SecretStr("hunter2")})
    async with aiohttp.ClientSession() as http:
        with pytest.raises(GraphError) as caught:
            await Graph(http, wrong).fetch("9001", limit=LIMIT)
    assert (caught.value.code, caught.value.remedy) == (190, Remedy.FIX_SETTINGS)
    assert "hunter2" not in str(caught.value)


async def test_the_numbers_state_names_it(metas: Graph) -> None:
    assert (await metas.number_state())["verified_name"] == "Recado"

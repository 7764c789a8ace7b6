"""Planned faults of Meta, and the account's own description."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator, Person
    from tests.sandbox.conftest import Business, Graph


async def send(graph: Graph, person: Person) -> tuple[int, dict[str, Any]]:
    return await graph.send(graph.to(person, type="text", text={"body": "Hola"}))


async def test_a_refusal_on_order_hits_as_often_as_said_and_whom_it_was_said(
    meta: MetaSimulator, graph: Graph, ana: Person, sam: Person
) -> None:
    for person in (ana, sam):
        await meta.writes(person, {"type": "text", "text": {"body": "Hola"}})
    meta.will_refuse(130429, times=2, to=ana.phone)
    answers = [await send(graph, person) for person in (sam, ana, ana, ana)]
    assert [status for status, _ in answers] == [200, 400, 400, 200]
    assert answers[1][1]["error"]["code"] == 130429


async def test_a_refusal_may_have_another_status(
    meta: MetaSimulator, graph: Graph, ana: Person, ana_wrote: str
) -> None:
    meta.will_refuse(131056, http_status=429)
    status, answer = await send(graph, ana)
    assert (status, answer["error"]["code"]) == (429, 131056)


async def test_a_lost_answer_leaves_the_message_accepted(
    meta: MetaSimulator, graph: Graph, business: Business, ana: Person, ana_wrote: str
) -> None:
    meta.will_drop()
    with pytest.raises(aiohttp.ClientError):
        await send(graph, ana)
    await meta.idle()
    assert [sent.text for sent in meta.accepted] == ["Hola"]
    assert [status["status"] for status in business.statuses] == ["sent", "delivered", "read"]
    assert (await send(graph, ana))[0] == 200


async def test_a_late_answer_is_to_a_message_already_accepted(
    meta: MetaSimulator, graph: Graph, ana: Person, ana_wrote: str
) -> None:
    meta.will_delay(0.05)
    sending = asyncio.create_task(send(graph, ana))
    assert [sent.text for sent in await meta.replies(ana)] == ["Hola"]
    assert not sending.done()
    assert (await sending)[0] == 200


async def test_a_gateway_answers_with_a_page_and_accepts_nothing(
    meta: MetaSimulator, graph: Graph, ana: Person, ana_wrote: str
) -> None:
    meta.will_html_502()
    url = f"{graph.base}/v26.0/{meta.phone_number_id}/messages"
    async with graph.http.post(url, json=graph.to(ana, type="text", text={"body": "Hola"})) as response:
        assert (response.status, response.content_type) == (502, "text/html")
    assert meta.accepted == []


async def test_the_number_and_the_account_tell_their_state(meta: MetaSimulator, graph: Graph) -> None:
    status, number = await graph.get(f"{meta.phone_number_id}?fields=display_phone_number,verified_name,health_status")
    assert status == 200
    assert (number["display_phone_number"], number["verified_name"]) == ("+525500001111", "Recado")
    assert number["health_status"]["can_send_message"] == "AVAILABLE"
    assert (await graph.get(f"{meta.waba_id}?fields=health_status"))[1]["id"] == meta.waba_id
    assert (await graph.get(f"{meta.phone_number_id}?fields=shoe_size"))[1]["error"]["code"] == 100


async def test_a_template_is_created_reviewed_listed_and_deleted(
    meta: MetaSimulator, graph: Graph, business: Business
) -> None:
    url = f"{graph.base}/v26.0/{meta.waba_id}/message_templates"
    body = {"type": "BODY", "text": "Hola {{name}}, gracias."}
    new = {"name": "thanks", "language": "es", "category": "UTILITY", "parameter_format": "NAMED", "components": [body]}
    async with graph.http.post(url, json=new) as response:
        created = await response.json()
        assert (response.status, created["status"]) == (200, "PENDING")
    await meta.idle()
    assert business.values[-1]["event"] == "APPROVED"
    _, listed = await graph.get(f"{meta.waba_id}/message_templates?fields=name,status&name=thanks")
    assert listed["data"] == [{"name": "thanks", "status": "APPROVED", "id": created["id"]}]
    async with graph.http.post(url, json=new) as response:
        assert (await response.json())["error"]["error_subcode"] == 2388024
    async with graph.http.delete(url, params={"name": "thanks"}) as response:
        assert response.status == 200
    assert (await graph.get(f"{meta.waba_id}/message_templates?name=thanks"))[1]["data"] == []


async def test_templates_are_listed_page_by_page(meta: MetaSimulator, graph: Graph) -> None:
    names: list[str] = []
    after = "0"
    for _ in range(3):
        _, page = await graph.get(f"{meta.waba_id}/message_templates?fields=name&limit=2&after={after}")
        names += [template["name"] for template in page["data"]]
        after = page["paging"]["cursors"]["after"]
    assert sorted(set(names)) == ["order_confirmation", "payment_reminder", "shipping_update"]
    assert "next" not in page["paging"]
    assert (await graph.get(f"{meta.waba_id}/message_templates?after=x"))[1]["error"]["code"] == 131059

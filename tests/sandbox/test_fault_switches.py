"""The fault drawer: each armed fault happens on the wire, once or until it is off, and the page is told."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sandbox.phone import api
from tests.sandbox.conftest import page_writes
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator
    from tests.sandbox.conftest import Business, Client, Clock, Graph

ANA, _, SAM = api.PEOPLE


async def set_fault(page: Client, kind: str, **more: Any) -> list[dict[str, Any]]:
    """Arm the fault (or cancel it with `on=False`), and return all armed faults."""
    answer = await page.post("/sandbox/trouble", json={"kind": kind} | more)
    assert answer.status == 200, await answer.text()
    armed: list[dict[str, Any]] = (await answer.json())["armed"]
    return armed


async def send(graph: Graph) -> tuple[int, int | None]:
    """Send to Ana; returns the status and the error code of the answer."""
    status, answer = await graph.send(graph.to(ANA, type="text", text={"body": "Buenas"}))
    return status, answer.get("error", {}).get("code")


async def armed(page: Client) -> list[str]:
    state = await (await page.get("/sandbox/state")).json()
    return [fault["kind"] for fault in state["armed"]]


async def test_the_next_message_comes_twice_in_other_bytes(page: Client, business: Business) -> None:
    await set_fault(page, "twice")
    wamids = [await page_writes(page), await page_writes(page)]
    assert [message["id"] for message in business.messages] == [wamids[0], wamids[0], wamids[1]]
    assert business.bodies[0] != business.bodies[1]
    assert await armed(page) == []


async def test_messages_are_collected_until_the_switch_is_off(page: Client, business: Business) -> None:
    await set_fault(page, "batch")
    wamids = [await page_writes(page), await page_writes(page, person=SAM.bsuid), await page_writes(page)]
    assert business.bodies == []
    [fault] = (await (await page.get("/sandbox/state")).json())["armed"]
    assert fault["held"] == 3
    await set_fault(page, "batch", on=False)
    assert len(business.bodies) == 1
    assert [message["id"] for message in business.messages] == wamids


async def test_the_next_two_come_in_reverse(page: Client, business: Business) -> None:
    await set_fault(page, "reverse")
    first, second, third = [await page_writes(page) for _ in range(3)]
    assert [message["id"] for message in business.messages] == [second, first, third]


async def test_a_message_held_for_its_second_goes_out_when_called_off(page: Client, business: Business) -> None:
    await set_fault(page, "reverse")
    wamid = await page_writes(page)
    assert business.bodies == []
    await set_fault(page, "reverse", on=False)
    assert [message["id"] for message in business.messages] == [wamid]


async def test_the_next_message_is_three_days_late_and_opens_no_window(
    page: Client, graph: Graph, business: Business, clock: Clock
) -> None:
    await set_fault(page, "late")
    await page_writes(page)
    assert business.messages[0]["timestamp"] == str(int((clock() - timedelta(days=3)).timestamp()))
    assert await send(graph) == (400, 131047)
    await page_writes(page)
    assert business.messages[1]["timestamp"] == str(int(clock().timestamp()))
    assert await send(graph) == (200, None)


async def test_a_hidden_phone_is_in_no_message_and_no_status_until_it_is_shown_again(
    page: Client, meta: MetaSimulator, graph: Graph, business: Business
) -> None:
    await set_fault(page, "hidden", person=ANA.bsuid)
    await page_writes(page)
    await graph.say(ANA)
    await meta.idle()
    assert str(ANA.phone) not in json.dumps(business.values)
    assert business.messages[0]["from_user_id"] == ANA.bsuid
    assert {status["recipient_user_id"] for status in business.statuses} == {ANA.bsuid}
    await set_fault(page, "hidden", person=ANA.bsuid, on=False)
    await page_writes(page)
    assert business.messages[-1]["from"] == ANA.phone


@pytest.mark.parametrize("code", [131047, 131056, 130429])
async def test_the_next_answer_is_refused_and_the_page_is_told(page: Client, graph: Graph, code: int) -> None:
    stream = await page.get("/sandbox/events")
    await page_writes(page)
    await set_fault(page, "refuse", code=code)
    assert [await send(graph), await send(graph)] == [(400, code), (200, None)]
    async with asyncio.timeout(PATIENCE):
        async for line in stream.content:
            if b'"mishap"' in line:
                break
    assert (json.loads(line[6:])["person"], json.loads(line[6:])["code"]) == (ANA.bsuid, code)
    stream.close()


async def test_an_expired_token_stops_every_call_until_it_is_renewed(
    page: Client, meta: MetaSimulator, graph: Graph
) -> None:
    await page_writes(page)
    await set_fault(page, "refuse", code=190)
    assert [await send(graph), await send(graph)] == [(401, 190), (401, 190)]
    status, answer = await graph.get(f"{meta.phone_number_id}?fields=verified_name")
    assert (status, answer["error"]["code"]) == (401, 190)
    await set_fault(page, "refuse", code=190, on=False)
    assert await send(graph) == (200, None)


async def test_an_accepted_message_fails_later_with_its_reason(
    page: Client, meta: MetaSimulator, graph: Graph, business: Business
) -> None:
    await page_writes(page)
    await set_fault(page, "fail", code=131026)
    await graph.say(ANA)
    await meta.idle()
    [status] = business.statuses
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)
    assert meta.history(ANA)[-1]["errors"][0]["title"] == "Message undeliverable"


async def test_an_answer_is_lost_after_the_message_was_taken(page: Client, meta: MetaSimulator, graph: Graph) -> None:
    await page_writes(page)
    await set_fault(page, "drop")
    with pytest.raises(aiohttp.ClientError):
        await send(graph)
    assert [sent.text for sent in meta.accepted] == ["Buenas"]


async def test_a_gateway_answers_with_a_page(page: Client, meta: MetaSimulator, graph: Graph) -> None:
    await page_writes(page)
    await set_fault(page, "html")
    url = f"{graph.base}/v26.0/{meta.phone_number_id}/messages"
    async with graph.http.post(url, json=graph.to(ANA, type="text", text={"body": "Buenas"})) as response:
        assert (response.status, response.content_type) == (502, "text/html")
    assert meta.accepted == []


async def test_slow_statuses_come_later(page: Client, meta: MetaSimulator, graph: Graph, business: Business) -> None:
    await page_writes(page)
    await set_fault(page, "slow")
    fault = meta.faults.active("slow")
    assert fault is not None
    fault.seconds = 0.05
    await graph.say(ANA)
    assert business.statuses == []
    await meta.idle()
    assert [status["status"] for status in business.statuses] == ["sent", "delivered", "read"]


async def test_a_closed_window_lets_only_templates_through(page: Client, graph: Graph) -> None:
    await page_writes(page)
    await set_fault(page, "closed", person=ANA.bsuid)
    assert await send(graph) == (400, 131047)
    values = [{"type": "text", "parameter_name": name, "text": "A-17"} for name in ("name", "order", "total")]
    template = {
        "name": "order_confirmation",
        "language": {"code": "es"},
        "components": [{"type": "body", "parameters": values}],
    }
    assert (await graph.send(graph.to(ANA, type="template", template=template)))[0] == 200
    await set_fault(page, "closed", person=ANA.bsuid, on=False)
    assert await send(graph) == (200, None)


async def test_the_same_is_armed_once_and_all_can_be_called_off(page: Client, business: Business) -> None:
    await set_fault(page, "twice")
    await set_fault(page, "refuse", code=131056)
    await set_fault(page, "refuse", code=131047)
    assert [fault["code"] for fault in await set_fault(page, "twice")] == [131056, 131047, 0]
    assert await set_fault(page, "none") == []
    await page_writes(page)
    assert len(business.bodies) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "earthquake"},
        {"kind": "refuse"},
        {"kind": "refuse", "code": 1},
        {"kind": "hidden"},
        {"kind": "twice", "person": ANA.bsuid},
        {},
    ],
    ids=str,
)
async def test_an_unknown_fault_is_refused(page: Client, wrong: dict[str, Any]) -> None:
    assert (await page.post("/sandbox/trouble", json=wrong)).status == 400
    assert await armed(page) == []

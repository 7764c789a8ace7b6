"""Conversation Routing at the simulator: it refuses what Meta refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator, Person
    from tests.sandbox.conftest import Business, Clock, Graph


async def control(graph: Graph, meta: MetaSimulator, **body: Any) -> int:
    """Meta's error code for a thread_control call; 0 where it succeeds."""
    whole = {"messaging_product": "whatsapp"} | body
    async with graph.http.post(f"{graph.base}/v26.0/{meta.phone_number_id}/thread_control", json=whole) as response:
        answer = await response.json()
    if response.status == 200:
        assert set(answer) == {"messaging_product", "request_id"}
    return int(answer.get("error", {}).get("code", 0))


@pytest.mark.usefixtures("ana_wrote")
async def test_without_routing_no_thread_is_moved(graph: Graph, meta: MetaSimulator, ana: Person) -> None:
    assert await control(graph, meta, action="take", recipient=ana.bsuid) == 100


@pytest.mark.usefixtures("ana_wrote")
@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"action": "steal"},
        {"recipient": None},
        {"to": "+5215512345678"},
        {"metadata": "x" * 2001},
        {"control_pass": {"target_role": "escalation"}},
        {"action": "pass", "control_pass": {"target_role": "boss"}},
        {"messaging_product": "messenger"},
        {"more": 1},
    ],
    ids=str,
)
async def test_a_call_of_another_shape_is_refused(
    graph: Graph, meta: MetaSimulator, ana: Person, wrong: dict[str, Any]
) -> None:
    meta.routing.give(ana, "us")
    body = {"action": "take", "recipient": ana.bsuid} | wrong if wrong else {}
    assert await control(graph, meta, **body) == 100


@pytest.mark.usefixtures("ana_wrote")
async def test_only_the_owner_speaks_passes_and_releases(graph: Graph, meta: MetaSimulator, ana: Person) -> None:
    meta.routing.give(ana, "other")
    message = graph.to(ana, type="text", text={"body": "Hola"})
    for action in ("pass", "release"):
        assert await control(graph, meta, action=action, to=f"+{ana.phone}") == 131070
    assert (await graph.send(message))[1]["error"]["code"] == 131070
    assert await control(graph, meta, action="take", recipient=ana.bsuid) == 0
    await graph.say(ana)
    role = {"target_role": "customer_service"}
    assert await control(graph, meta, action="pass", recipient=ana.bsuid, control_pass=role) == 0
    assert (await graph.send(message))[1]["error"]["code"] == 131070


@pytest.mark.usefixtures("ana_wrote")
async def test_only_the_escalation_partner_takes(graph: Graph, meta: MetaSimulator, ana: Person) -> None:
    meta.routing.give(ana, "other")
    meta.routing.escalation = False
    assert await control(graph, meta, action="take", recipient=ana.bsuid) == 2494191


async def test_another_apps_thread_is_told_on_standby_until_it_is_idle(
    meta: MetaSimulator, business: Business, ana: Person, clock: Clock
) -> None:
    words = {"type": "text", "text": {"body": "Hola"}}
    await meta.takes_control(ana)
    await meta.writes(ana, words)
    clock.forward(hours=25)
    await meta.writes(ana, words)
    taken, copy, message = business.values
    assert (taken["type"], taken["control_taken"]["new_owner_role"]) == ("control_taken", "ai_agent")
    assert "metadata" not in taken
    assert copy["standby"]["messages"][0]["text"] == {"body": "Hola"}
    assert message["messages"][0]["text"] == {"body": "Hola"}

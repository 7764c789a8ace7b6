"""Prices in the simulator's statuses: a thousand free service messages a month, and no price of a reaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.meta import statuses

if TYPE_CHECKING:
    import pytest

    from sandbox.meta.simulator import MetaSimulator, Person
    from tests.sandbox.conftest import Business, Clock, Graph


async def test_beyond_the_free_ones_of_a_month_service_messages_are_charged(
    meta: MetaSimulator,
    graph: Graph,
    business: Business,
    clock: Clock,
    ana: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statuses, "FREE_SERVICE_MESSAGES", 2)
    kinds: list[str] = []
    for days in (0, 0, 0, 40):
        clock.forward(days=days)
        await meta.writes(ana, {"type": "text", "text": {"body": "Hola"}})
        wamid = await graph.say(ana)
        await meta.idle()
        prices = [
            status["pricing"]["type"] for status in business.statuses if status["id"] == wamid and "pricing" in status
        ]
        assert len(prices) == 2
        kinds += set(prices)
    free = "free_customer_service"
    assert kinds == [free, free, "regular", free]


async def test_a_reaction_has_no_price(meta: MetaSimulator, graph: Graph, business: Business, ana: Person) -> None:
    wamid = await meta.writes(ana, {"type": "text", "text": {"body": "Hola"}})
    status, _ = await graph.send(graph.to(ana, type="reaction", reaction={"message_id": wamid, "emoji": "👍"}))
    await meta.idle()
    assert status == 200
    assert [("pricing" in told) for told in business.statuses] == [False]

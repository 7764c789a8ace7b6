"""A model that would rather call tools than answer; the other ways to fail are in tests/chaos/test_upstreams.py."""

from __future__ import annotations

from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.world import World


async def test_a_model_that_calls_tools_for_ever_has_to_answer(world: World, ana: Person) -> None:
    world.models.will(*[calls(("business_hours", {}))] * 6, says("Abrimos a las 9."))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¿A qué hora abren?"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Abrimos a las 9."
    assert [request.get("tool_choice") for request in world.models.requests] == [None] * 6 + ["none"]
    # Providers refuse a history of calls where no tools are named.
    assert all(request["tools"] for request in world.models.requests)

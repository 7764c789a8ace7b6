"""Ratings: after a conversation is closed its customer is asked once, and a tap counts once and starts nothing."""

from __future__ import annotations

from typing import Any

from sandbox.meta.simulator import Person
from tests.billing import buttons
from tests.console import Browser, add_operator
from tests.outgoing import acquainted, bodies, text
from tests.processes import eventually
from tests.world import Start, World

QUESTION = "¿Cómo te atendimos?"


async def rates(world: World, person: Person, button: dict[str, Any]) -> None:
    reply = {"type": "button_reply", "button_reply": button}
    await world.meta.writes(person, {"type": "interactive", "interactive": reply})


async def shown_ratings(browser: Browser, conversation: str) -> list[str]:
    page = await browser.get(f"conversations/{conversation}/messages")
    return [message["text"] for message in page.body["messages"] if message["kind"] == "rating"]


async def test_a_closed_conversation_is_rated_by_a_tap_that_counts_once(world: World, ana: Person) -> None:
    conversation, sol = await acquainted(world, ana), await add_operator(world, "Sol", "supervisor")
    place = f"conversations/{conversation}"
    asked = len(world.models.requests)
    await sol.post(f"{place}/take")
    assert (await sol.post(f"{place}/close")).body["state"] == "closed"
    await world.meta.replies(ana)
    assert bodies(world, ana) == [QUESTION]
    good, _, bad = buttons(world.meta.sent_to(ana)[0])
    assert (good["title"], bad["title"]) == ("😀 Bien", "🙁 Mal")

    await rates(world, ana, good)
    assert await eventually(lambda: shown_ratings(sol, conversation)) == ["😀 Bien"]
    await rates(world, ana, bad)
    await rates(world, ana, {"id": f"rate.r_{'0' * 24}.bad", "title": "🙁 Mal"})

    async def all_three() -> bool:
        return len(await shown_ratings(sol, conversation)) == 3

    await eventually(all_three)
    report = (await sol.get("reports")).body
    assert [report["totals"][name] for name in ("rated_good", "rated_fair", "rated_bad", "csat")] == [1, 0, 0, 1.0]
    assert sum(day["rated_good"] for day in report["days"]) == 1
    body = (await sol.get(place)).body
    assert (body["state"], body["unread"]) == ("closed", 0)

    # What follows is a message like any other: the assistant answers it, and knows of the rating.
    await world.meta.writes(ana, text("gracias"))
    await world.meta.replies(ana, 2)
    assert len(world.models.requests) == asked + 1
    assert (await eventually(lambda: _in_state(sol, place, "bot")))["state"] == "bot"
    await sol.post(f"{place}/close")
    await world.meta.writes(ana, text("y otra cosa"))
    await world.meta.replies(ana, 3)
    assert bodies(world, ana).count(QUESTION) == 1


async def _in_state(browser: Browser, place: str, state: str) -> dict[str, Any]:
    conversation: dict[str, Any] = (await browser.get(place)).body
    return conversation if conversation["state"] == state else {}


async def test_nobody_is_asked_with_a_shut_window_or_where_it_is_switched_off(start: Start, ana: Person) -> None:
    world = await start(history=True, CONSOLE_RATINGS="false")
    conversation, sol = await acquainted(world, ana), await add_operator(world, "Sol", "supervisor")
    assert (await sol.post(f"conversations/{conversation}/close")).status == 200
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    assert QUESTION not in bodies(world, ana)


async def test_a_customer_of_yesterday_is_not_asked(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana, hours_ago=25)
    sol = await add_operator(world, "Sol", "supervisor")
    assert (await sol.post(f"conversations/{conversation}/close")).status == 200
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    assert QUESTION not in bodies(world, ana)

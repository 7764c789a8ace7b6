"""Conversation Routing: another app owns the thread, and we are quiet until the thread is ours again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.messages.outbound import Say
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import says
from tests.notifications import contact_of, post, remembered, settled
from tests.outgoing import acquainted, conversation_of, empty, events, put, text
from tests.processes import eventually
from tests.waiting import next_second
from tests.world import World

BEARER = {"Authorization": "Bearer console-token"}
SUMMARY = "(what happened before, as another app of this business summed it up: {})"


async def quiet(world: World, ana: Person) -> bool:
    return (await contact_of(world, ana.bsuid)).handed_off


async def console(world: World, ana: Person, action: str = "") -> tuple[int, Any]:
    conversation = await conversation_of(world, ana)
    method, path = ("POST", f"/{action}") if action else ("GET", "")
    address = f"{world.url}/console/conversations/{conversation}/thread{path}"
    async with world.http.request(method, address, headers=BEARER) as response:
        return response.status, await (response.json() if response.ok else response.text())


async def give_back(world: World, ana: Person) -> int:
    address = f"{world.url}/console/conversations/{await conversation_of(world, ana)}/give-back"
    async with world.http.post(address, headers=BEARER) as response:
        return response.status


async def test_a_taken_thread_is_quiet_until_the_person_writes_to_us_again(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    await world.meta.takes_control(ana)
    assert await quiet(world, ana)
    await world.meta.writes(ana, text("¿abren hoy?"))
    await settled(world)
    assert world.meta.accepted == []
    await next_second()
    await world.meta.passes_control(ana)
    assert not await quiet(world, ana)
    world.models.will(says("Sí, hasta las 9."))
    await world.meta.writes(ana, text("¿hola?"))
    await world.meta.replies(ana)
    assert "¿abren hoy?" in str(world.models.requests[-1]["messages"])


async def test_a_copy_on_standby_tells_that_another_app_answers(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    world.meta.routing.give(ana, "other")
    await world.meta.writes(ana, text("¿abren hoy?"))
    await settled(world)
    assert await quiet(world, ana)
    assert (await console(world, ana))[1]["owner"] == "other"


async def test_the_first_refused_message_quiets_at_once(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    world.meta.routing.give(ana, "other")
    async with events(world.redis) as following:
        await put(world, conversation, ana, Say(body="uno"))
        moved = await following("handover")
    assert (moved["move"], moved["owner"]) == ("send_refused", "other")
    assert await quiet(world, ana)
    await eventually(lambda: empty(world, conversation))
    assert world.meta.accepted == []


async def test_after_a_day_without_a_word_the_thread_is_nobodys(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    await post(world, "messaging_handovers_taken", ago=timedelta(hours=23))
    before = await console(world, ana)
    await post(world, "messaging_handovers_taken", ago=timedelta(hours=25))
    conversation = await conversation_of(world, ana)
    # The message of acquaintance is later than both, and tells that the thread is ours only where routing is known.
    assert before[1]["owner"] == "other"
    lasts = await world.redis.ttl(f"recado:{{{conversation}}}:thread")
    assert 0 < lasts <= 3600


async def test_a_hand_over_older_than_a_day_changes_nothing(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    await post(world, "messaging_handovers_taken", ago=timedelta(hours=25))
    assert (await console(world, ana))[1]["owner"] is None
    assert not await quiet(world, ana)


async def test_an_earlier_hand_over_that_comes_late_changes_nothing(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    now = datetime.now(UTC)
    await post(world, "messaging_handovers", now=now)
    await post(world, "messaging_handovers_taken", now=now - timedelta(seconds=10))
    assert (await console(world, ana))[1]["owner"] == "us"
    assert not await quiet(world, ana)


async def test_the_former_owners_summary_joins_the_memory_once(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    now = datetime.now(UTC)
    for _ in range(2):
        await post(world, "messaging_handovers_summary", now=now)
        await settled(world)
    told = SUMMARY.format("Ana quiere devolver la impresora del pedido 71.")
    assert [line for line in await remembered(world, ana.bsuid) if "devolver" in line[1]] == [("assistant", told)]
    assert world.meta.accepted == []


async def test_the_reason_of_a_hand_over_is_told_in_each_shape(world: World, ana: Person) -> None:
    for name in ("messaging_handovers_string_metadata", "messaging_handovers_summary"):
        async with events(world.redis) as following:
            await post(world, name)
            moved = await following("handover")
        assert (moved["move"], moved["to"], moved["reason"]) == ("control_passed", "escalation", "Wants a refund")


async def test_operators_see_take_pass_on_and_release_a_thread(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    assert await console(world, ana) == (200, {"conversation": await conversation_of(world, ana), "owner": None})
    await world.meta.takes_control(ana)
    for action, owner, silent in (("take", "us", False), ("pass", "other", True), ("take", "us", False)):
        status, told = await console(world, ana, action)
        assert (status, told["owner"], await quiet(world, ana)) == (200, owner, silent)
    status, told = await console(world, ana, "release")
    assert (status, told["owner"], await quiet(world, ana)) == (200, "nobody", True)
    assert world.meta.routing.actions == ["take", "pass", "take", "release"]


async def test_giving_back_takes_the_thread_from_another_app(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    await world.meta.takes_control(ana)
    assert await give_back(world, ana) == 200
    assert not await quiet(world, ana)
    assert await give_back(world, ana) == 200
    assert world.meta.routing.actions == ["take"]
    await console(world, ana, "release")
    assert await give_back(world, ana) == 200
    assert (world.meta.routing.actions, await quiet(world, ana)) == (["take", "release", "take"], False)


async def test_a_thread_that_may_not_be_taken_stays_quiet_and_says_why(world: World, ana: Person) -> None:
    await acquainted(world, ana)
    await world.meta.takes_control(ana)
    world.meta.routing.escalation = False
    status, told = await console(world, ana, "take")
    assert status == 409
    assert "2494191" in told
    assert "escalation partner" in told
    assert await give_back(world, ana) == 409
    assert await quiet(world, ana)


async def test_the_thread_is_for_operators_alone(world: World) -> None:
    for method, path in (("GET", "thread"), ("POST", "thread/take")):
        address = f"{world.url}/console/conversations/c_{'0' * 20}/{path}"
        async with world.http.request(method, address) as response:
            assert response.status == 401
        async with world.http.request(method, address, headers=BEARER) as response:
            assert response.status == 404


@pytest.mark.parametrize("path", ["steal", "take/now"])
async def test_another_action_is_no_route(world: World, path: str) -> None:
    address = f"{world.url}/console/conversations/c_{'0' * 20}/thread/{path}"
    async with world.http.post(address, headers=BEARER) as response:
        assert response.status == 404

"""A replay shows what the model would have answered with another release, and changes nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from bot.console.text_difference import difference
from bot.conversations.memory import Memory
from bot.conversations.turn_state import releases_in_use
from bot.database.opening import open_current
from bot.history.tables import TURNS
from bot.prompting.releases import Releases
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, fails, says
from tests.console import Browser, add_operator, program
from tests.outgoing import conversation_of, text
from tests.processes import eventually
from tests.world import Start, World

# Words or lines that repeat take seconds to compare, so that such texts are compared in larger pieces.
DIFFERENCES = [
    ("uno dos tres", "uno tres", ["same", "gone", "same"]),
    ("no " * 800, "no sí " * 400, ["gone", "new"]),
    ("hola\n" + "no " * 800, "hola\n" + "no sí " * 400, ["same", "gone", "new"]),
    ("no\n" * 900, "no\nsí\n" * 450, ["gone", "new"]),
    ("", "hola", ["new"]),
]
_RULE = "Trata a la gente siempre de usted."


async def _turn_with_a_tool(world: World, person: Person, browser: Browser) -> str:
    """A turn in which the model has asked for the opening hours; its name."""
    world.models.will(calls(("business_hours", {})), says("Abrimos a las nueve."))
    await world.meta.writes(person, text("¿A qué hora abren?"))
    await world.meta.replies(person)
    return await _traced(browser, await conversation_of(world, person))


async def _traced(browser: Browser, conversation: str) -> str:
    """The conversation's newest turn, once the history has it."""

    async def traced() -> str:
        page = (await browser.get(f"conversations/{conversation}/messages")).body
        named = [
            message["turn"] for message in page["messages"] if message["turn"] and message["author"] == "assistant"
        ]
        found = await browser.get(f"turns/{named[-1]}") if named else None
        return str(named[-1]) if found and found.status == 200 and found.body["asked"] else ""

    return await eventually(traced)


async def _other_release(world: World) -> str:
    """Release the prompts with one more rule."""
    releases = Releases(world.redis, lambda: releases_in_use(world.redis))
    now = await releases.current()
    texts = await releases.texts(str(now)) or {}
    texts["assistant.md"] += f"\n{_RULE}\n"
    await releases.release(texts, author="Sol", note="de usted")
    return str(now)


def _system(request: dict[str, Any]) -> str:
    return str(request["messages"][0]["content"])


async def test_a_turn_is_replayed_with_another_release_and_nothing_is_carried_out(world: World, ana: Person) -> None:
    sol = await add_operator(world, "Sol", "supervisor")
    turn, before = await _turn_with_a_tool(world, ana, sol), await _other_release(world)
    conversation = await conversation_of(world, ana)
    listed = (await sol.get("releases")).body["releases"]
    assert (listed[0]["current"], listed[0]["note"]) == (True, "de usted")
    assert listed[1]["release"] == before
    then = world.models.requests[0]
    memory = Memory(world.redis, world.settings.memory)
    sent, remembered = len(world.meta.accepted), await memory.recall(conversation)
    world.models.will(
        calls(("business_hours", {}), ("talk_to_a_person", {"reason": "queja"}), ("offer_choices", {"bad": 1})),
        says("Abrimos a las *diez*."),
    )
    found = await sol.post(f"turns/{turn}/replay", {"conversation": conversation})
    assert found.status == 200, found.body
    first, second = world.models.requests[-2:]
    assert _RULE in _system(first)
    assert _RULE not in _system(then)
    assert (first["messages"][1:], first["tools"]) == (then["messages"][1:], then["tools"])
    shown = found.body
    assert [(call["name"], call["how"]) for call in shown["tools"]] == [
        ("business_hours", "recorded"),
        ("talk_to_a_person", "dry"),
        ("offer_choices", "refused"),
    ]
    assert second["messages"][-2]["content"].startswith("(Dry run")
    assert (shown["answer"], shown["before"]) == ("Abrimos a las *diez*.", "Abrimos a las nueve.")
    assert [(piece["how"], piece["text"]) for piece in shown["diff"]] == [
        ("same", "Abrimos a las"),
        ("gone", " nueve."),
        ("new", " *diez*."),
    ]
    assert len(world.meta.accepted) == sent
    assert await memory.recall(conversation) == remembered
    assert (await sol.get(f"conversations/{conversation}")).body["state"] == "bot"
    kinds = {kind["name"]: kind["usd"] for kind in (await sol.get("budget")).body["kinds"]}
    assert kinds["replays"] == pytest.approx(float(shown["cost_usd"]), abs=1e-8)
    [entry] = (await sol.get("audit?action=replay")).body["entries"]
    details = {"turn": turn, "release": listed[0]["release"], "cost_usd": shown["cost_usd"]}
    assert (entry["object"], entry["details"]) == (conversation, details)
    world.models.will(says("Abrimos a las nueve."))
    again = await sol.post(f"turns/{turn}/replay", {"release": before})
    assert (again.body["release"], [piece["how"] for piece in again.body["diff"]]) == (before, ["same"])
    assert _system(world.models.requests[-1]) == _system(then)


async def test_the_model_of_a_replay_sees_the_photo_again(
    start: Start, ana: Person, vision: str, media: Callable[[str], bytes]
) -> None:
    world = await start(history=True, GOOGLE_VISION_ENDPOINT=vision)
    sol = await add_operator(world, "Sol", "supervisor")
    world.models.will(says("Es una etiqueta."))
    await world.meta.sends_media(ana, "image", media("photos/dim.jpg"), "image/jpeg")
    await world.meta.replies(ana)
    turn = await _traced(sol, await conversation_of(world, ana))
    world.models.will(says("Es una etiqueta."))
    found = await sol.post(f"turns/{turn}/replay", {})
    assert (found.status, found.body["pictures_left_out"]) == (200, 0)
    then, now = world.models.requests
    assert [part["type"] for part in now["messages"][-1]["content"]] == ["text", "image_url"]
    assert now["messages"] == then["messages"]


async def test_a_replay_that_is_not_possible_says_why(world: World, ana: Person) -> None:
    client = program(world)
    turn = await _turn_with_a_tool(world, ana, client)

    async def refused(path: str, body: Any, language: str = "es") -> tuple[int, str, str]:
        found = await client.post(path, body, headers={"Accept-Language": language})
        return found.status, found.code, found.body["error"]["message"]

    replay = f"turns/{turn}/replay"
    assert await refused("turns/t_none/replay", {}) == (404, "not_found", "Eso no existe.")
    unknown = (404, "release_unknown", "This release of the prompts is not kept.")
    assert await refused(replay, {"release": "0" * 12}, "en") == unknown
    assert (await refused(replay, {"release": "../x"}))[:2] == (422, "field_wrong")
    world.models.will(*[fails(500)] * 8)
    assert (await refused(replay, {}))[:2] == (503, "model_away")
    world.models.forget()
    day = (await client.get("budget")).body["day"]
    await world.redis.set(f"recado:spent:{day}", 10**15)
    assert await refused(replay, {}) == (409, "budget_spent", "Se gastó el presupuesto de hoy.")
    database = await open_current(world.settings.database.url.get_secret_value())
    async with database.writing() as connection:
        await connection.execute(update(TURNS).values(asked=None))
    await database.close()
    assert (await refused(replay, {}))[:2] == (409, "turn_without_messages")


@pytest.mark.parametrize(("before", "after", "kinds"), DIFFERENCES)
def test_a_difference_costs_little_whatever_the_words(before: str, after: str, kinds: list[str]) -> None:
    found = difference(before, after)
    assert [piece["how"] for piece in found] == kinds
    for text_, hidden in ((before, "new"), (after, "gone")):
        assert "".join(piece["text"] for piece in found if piece["how"] != hidden) == text_

"""Canary on running processes: its share of the contacts, its tallies, and its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.conversations.contacts import Contacts
from bot.prompting.canary import Arm, Canary
from bot.prompting.canary_metrics import KEYS, TallyStore, sums_of_turn
from bot.prompting.releases import Releases, read_current_release
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, calls, says
from tests.processes import eventually, recado
from tests.prompting.operating import overheard, say, upcoming
from tests.world import Start, World

Answer = Callable[[str, list[dict[str, Any]]], dict[str, Any]]
GOOD = sums_of_turn(failed=False, handed_over=False, cost=20, length=4)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in English."""
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


@pytest.fixture
def folder(own_prompts: Path) -> Path:
    say(own_prompts, "Uno")
    return own_prompts


def answering(world: World, answer: Answer) -> None:
    """Let the model answer by the system prompt that it is asked with, and what it was told since."""
    world.models._rules = lambda messages, _: answer(messages[0]["content"], messages)


def echo(prompt: str, _: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": prompt}


async def listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((await recado("prompts", "list", "--format", "json")).out)
    return found


async def start_canary(world: World, folder: Path, percent: int = 50) -> Canary:
    """Release what the assistant then says as the candidate."""
    say(folder, "Dos")
    assert (await recado("prompts", "release", "--canary", str(percent), "--author", "rosa")).code == 0
    canary = (await read_current_release(world.redis)).canary
    assert canary is not None
    return canary


async def people(world: World, canary: Canary, arm: Arm, count: int) -> list[Person]:
    """So many people of an arm, of whom only their conversation is known."""
    found: list[Person] = []
    while len(found) < count:
        number = len(found) + (500_000 if arm == "candidate" else 0)
        person = Person(phone=f"521551{number:07d}", bsuid=f"MX.88{number:014d}", name="Ana")
        conversation = await Contacts(world.redis).find_or_create(phone=person.phone, bsuid=person.bsuid)
        if canary.arm_of(conversation) == arm:
            found.append(person)
        else:
            await world.redis.delete(f"recado:identity:{person.phone}", f"recado:identity:{person.bsuid}")
    return found


async def write(world: World, person: Person, text: str = "hola") -> str:
    """Reply to the person's message."""
    count = len(world.meta.sent_to(person))
    await world.meta.writes(person, {"type": "text", "text": {"body": text}})
    sent = (await world.meta.replies(person, count + 1))[-1]
    return str(sent.request["text"]["body"])


async def nearly_judged(world: World, canary: Canary, **bad: int) -> None:
    """29 good turns of the candidate but for one that is missing, and as many good ones of the current release."""
    signals = TallyStore(world.redis)
    for number in range(30):
        await signals.count(canary, "current", f"c{number}", GOOD)
    for number in range(29):
        await signals.count(canary, "candidate", f"n{number}", GOOD | bad)


async def is_over(world: World) -> bool:
    return (await read_current_release(world.redis)).canary is None


async def test_a_candidate_comes_to_its_share_stays_with_it_and_becomes_everybodys(start: Start, folder: Path) -> None:
    world = await start(workers=2)
    answering(world, echo)
    old = (await read_current_release(world.redis)).current
    async with overheard(world.redis) as heard:
        canary = await start_canary(world, folder)
        assert (await upcoming(heard, "canary"))["percent"] == 50
        with_old = await people(world, canary, "current", 4)
        with_new = await people(world, canary, "candidate", 4)
        for _ in range(2):
            assert set(await asyncio.gather(*(write(world, person) for person in with_old))) == {"Uno"}
            assert set(await asyncio.gather(*(write(world, person) for person in with_new))) == {"Dos"}

        shown = (await recado("prompts", "list")).out.splitlines()
        assert shown[1].startswith(f"~ 50 % {canary.release} ")
        assert shown[2].startswith(f"*      {old} ")
        async with world.http.get(f"{world.url}/metrics") as response:
            page = await response.text()
        assert f'recado_prompts_release{{release="{old}"}} 1.0' in page
        assert f'recado_prompts_candidate_percent{{release="{canary.release}"}} 50.0' in page

        await eventually(lambda: _counted(world, 8, 8))
        side_by_side = json.loads((await recado("prompts", "canary", "--format", "json")).out)
        assert side_by_side["turns"] == {"current": 8, "candidate": 8}
        assert [signal["name"] for signal in side_by_side["signals"] if signal["candidate"]["value"]] == [
            "cost",
            "length",
        ]
        text = (await recado("prompts", "canary")).out
        assert f"candidate {canary.release}, 50 % of the contacts" in text
        assert "nothing is judged before both have 30 turns" in text

        # A turn in hand finishes with what it began with.
        person = with_old[0]
        promoted = asyncio.Event()
        world.models.will(ScriptedAnswer(calls(("business_hours", {})).message, until=promoted))
        asked = len(world.models.requests)
        waiting = asyncio.create_task(write(world, person))
        await eventually(lambda: _asked(world, asked + 1))
        assert (await recado("prompts", "promote")).out == f"released: {canary.release}\n"
        assert (await upcoming(heard, "promoted"))["release"] == canary.release
        promoted.set()
        assert await waiting == "Uno"
        assert await write(world, person) == "Dos"
    assert not await world.redis.exists(*KEYS)
    assert (await recado("prompts", "canary")).err == "there is no candidate; see `recado prompts release --canary`\n"
    assert (await recado("prompts", "promote")).code == 1


async def _counted(world: World, current: int, candidate: int) -> bool:
    tallies = await TallyStore(world.redis).read()
    return (tallies.current.turns, tallies.candidate.turns) == (current, candidate)


async def _asked(world: World, count: int) -> bool:
    return len(world.models.requests) >= count


async def test_a_candidate_whose_turns_fail_is_dropped_by_itself_and_operators_are_told_the_figures(
    start: Start, folder: Path
) -> None:
    world = await start()
    canary = await start_canary(world, folder)
    old, new = await people(world, canary, "current", 30), await people(world, canary, "candidate", 30)
    answering(world, lambda prompt, _: {"role": "assistant", "content": "Sí" if prompt == "Uno" else ""})
    async with overheard(world.redis) as heard:
        assert set(await asyncio.gather(*(write(world, person) for person in old))) == {"Sí"}
        await eventually(lambda: _counted(world, 30, 0))
        assert "un problema nuestro" in next(iter(await asyncio.gather(*(write(world, person) for person in new))))
        await eventually(lambda: is_over(world))
        alert = await upcoming(heard, "canary")
    figures = "errors 100.0% (81.9% … 100.0%) against 0.0% (0.0% … 18.1%)"
    assert alert["words"].startswith(f"candidate {canary.release} is dropped, by 30 turns against 30: {figures}")
    assert f"recado prompts diff {canary.release}" in alert["fix"]
    assert [event["state"] for event in heard if event["type"] == "prompts"] == ["dropped"]
    newest = (await listed())[0]
    assert (newest["how"], newest["author"], newest["note"][: len(figures)]) == ("drop", "recado", figures)
    assert await write(world, new[0]) == "Sí"


@pytest.mark.parametrize("turns", ["fine", "handed over"])
async def test_a_candidate_that_hands_over_more_is_dropped_and_one_that_is_as_good_stays(
    start: Start, folder: Path, turns: str
) -> None:
    world = await start()
    canary = await start_canary(world, folder)
    bad = turns == "handed over"
    await nearly_judged(world, canary, hand_overs=int(bad))
    person, taken = await people(world, canary, "candidate", 2)
    # Because a colleague answers here, the prompts have no effect.
    conversation = await Contacts(world.redis).find_or_create(phone=taken.phone, bsuid=taken.bsuid)
    await Contacts(world.redis).set_handed_off(conversation, handed_off=True)
    await world.meta.writes(taken, {"type": "text", "text": {"body": "¿Sigues?"}})
    await eventually(lambda: _at_rest(world))
    if bad:
        world.models.will(calls(("talk_to_a_person", {"reason": "x"})))
    world.models.will(says("Claro"))
    await write(world, person)
    if bad:
        await eventually(lambda: is_over(world))
    else:
        await eventually(lambda: _counted(world, 30, 30))
        assert not await is_over(world)


async def _at_rest(world: World) -> bool:
    return not await world.redis.exists("recado:open")


async def test_thumbs_that_point_down_at_our_messages_drop_a_candidate(start: Start, folder: Path) -> None:
    world = await start()
    answering(world, echo)
    canary = await start_canary(world, folder)
    (person,) = await people(world, canary, "candidate", 1)
    for _ in range(8):
        await write(world, person)
    ours = [sent.wamid for sent in world.meta.sent_to(person)]
    theirs = await world.meta.writes(person, {"type": "text", "text": {"body": "mío"}})
    await world.meta.replies(person, 9)
    await eventually(lambda: _counted(world, 0, 9))

    async def react(wamid: str, emoji: str) -> None:
        await world.meta.writes(person, {"type": "reaction", "reaction": {"message_id": wamid, "emoji": emoji}})

    # Of these none counts: another thumb, one that was taken back, and one at their own message.
    await react(ours[0], "👍")
    await react(ours[1], "👎")
    await react(ours[1], "")
    await react(theirs, "👎")
    for wamid, emoji in zip(ours[2:], ["👎", "👎🏻", "👎🏽", "👎🏿", "👎🏾", "👎🏼"], strict=True):
        # The same twice is one.
        await react(wamid, "👎")
        await react(wamid, emoji)
    await eventually(lambda: _down(world, 6))
    signals = TallyStore(world.redis)
    for number in range(70):
        await signals.count(canary, "current", f"c{number}", GOOD)
    for number in range(21):
        await signals.count(canary, "candidate", f"n{number}", GOOD)
    assert not await is_over(world)
    await react(ours[0], "👎🏽")
    await eventually(lambda: is_over(world))


async def _down(world: World, count: int) -> bool:
    return (await TallyStore(world.redis).read()).candidate.thumbs_down == count


async def test_going_back_drops_a_candidate_first_and_then_the_release(start: Start, folder: Path) -> None:
    world = await start(workers=0)
    await recado("prompts", "release", "--canary", "10")
    first = (await read_current_release(world.redis)).current
    say(folder, "Uno y medio")
    await recado("prompts", "release")
    second = (await read_current_release(world.redis)).current
    canary = await start_canary(world, folder)
    dropped = await recado("prompts", "rollback", "--note", "raro")
    assert dropped.out == f"dropped: {canary.release}; {second} goes on\n"
    assert (await recado("prompts", "rollback")).out == f"released: {first}\n"
    shown = [(entry["how"], entry["current"], entry["candidate_percent"]) for entry in await listed()]
    assert shown == [
        ("rollback", True, None), ("drop", False, None), ("canary", False, None), ("release", False, None),
        ("release", True, None),
    ]  # fmt: skip
    assert await Releases(world.redis, _nobody).texts(canary.release)


async def _nobody() -> tuple[str, ...]:
    return ()

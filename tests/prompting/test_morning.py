"""An operator's morning on running processes: edit, break, see the message, repair, release, roll back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.history.stream import HistoryStream
from bot.worker import running
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import ScriptedAnswer, calls, says
from tests.processes import eventually, recado
from tests.prompting.operating import ask, overheard, say, told, upcoming
from tests.world import Start, World


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in English."""
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


@pytest.fixture
def folder(own_prompts: Path) -> Path:
    return own_prompts


async def test_an_operators_morning(start: Start, folder: Path, ana: Person) -> None:
    say(folder, "Uno")
    world = await start(workers=2)
    assert told(await ask(world, ana, "hola")) == "Uno"
    first = (await recado("prompts", "list", "--format", "json")).out

    # Edited and not released: customers get the old words, and the operator sees what would change.
    say(folder, "Dos")
    assert told(await ask(world, ana, "otra vez")) == "Uno"
    assert "+Dos" in (await recado("prompts", "diff")).out

    # Broken: refused with the place, and the last good release goes on.
    say(folder, "Dos {{ nadie }}")
    refused = await recado("prompts", "release", "--note", "prueba")
    assert (refused.code, refused.out.split()[:2]) == (1, [f"{folder}/assistant.md:4:8", "unknown-variable"])
    assert told(await ask(world, ana, "¿sigues?")) == "Uno"

    # Repaired and released, while a turn is in hand that began before: it finishes with its own words.
    say(folder, "Dos")
    leo = Person(phone="5215587654321", bsuid="MX.8809876543210987", name="Leo")
    released = asyncio.Event()
    world.models.will(ScriptedAnswer(calls(("business_hours", {})).message, until=released), says("listo"))
    await world.meta.writes(leo, {"type": "text", "text": {"body": "¿abren?"}})
    await eventually(lambda: _asked(world, "¿abren?"))
    (folder / "_business.md").write_text("---\nname: Otra\nhours: {monday: 1:00-2:00}\n---\nVendemos aire.\n")
    assert (await recado("prompts", "release", "--note", "más corto", "--author", "rosa")).code == 0
    released.set()
    await world.meta.replies(leo)
    last = world.models.requests[-1]["messages"]
    assert last[0]["content"] == "Uno"
    assert "Insurgentes" in last[-1]["content"]
    assert told(await ask(world, ana, "¿y ahora?")) == "Dos"

    # Every turn tells which release it had; so does the metric of the current one.
    entries = json.loads((await recado("prompts", "list", "--format", "json")).out)
    assert [(entry["author"], entry["note"], entry["current"]) for entry in entries] == [
        ("rosa", "más corto", True), ("start", "", False),
    ]  # fmt: skip
    assert await _releases(world.redis, ana, leo) == {entry["release"] for entry in entries}
    async with world.http.get(f"{world.url}/metrics") as response:
        assert f'recado_prompts_release{{release="{entries[0]["release"]}"}} 1.0' in await response.text()

    # And back.
    assert (await recado("prompts", "rollback")).out.split()[-1] == json.loads(first)[0]["release"]
    assert told(await ask(world, ana, "¿y hoy?")) == "Uno"


async def _asked(world: World, words: str) -> bool:
    return any(words in str(request["messages"][-1]) for request in world.models.requests)


async def _releases(redis: Redis, *people: Person) -> set[str]:
    """The releases of these people's turns."""
    names = await redis.mget([f"recado:identity:{person.bsuid}" for person in people])
    return {
        entry["trace"]["prompt"]["version"] for entry in await HistoryStream(redis).of(names) if entry["kind"] == "turn"
    }


async def test_where_saving_is_releasing_a_mistake_is_told_and_the_last_good_one_goes_on(
    start: Start, folder: Path, ana: Person
) -> None:
    say(folder, "Uno")
    world = await start(PROMPTS_RELEASE="watch")
    async with overheard(world.redis) as heard:
        assert told(await ask(world, ana, "hola")) == "Uno"
        say(folder, "Dos {% if summary %}")
        event = await upcoming(heard, "wrong")
        (diagnostic,) = event["findings"]
        assert (diagnostic["line"], diagnostic["column"], diagnostic["code"]) == (4, 5, "unclosed-block")
        assert told(await ask(world, ana, "¿sigues?")) == "Uno"
        say(folder, "Tres")
        released = await upcoming(heard, "released")
        assert told(await ask(world, ana, "¿y ahora?")) == "Tres"
        assert released["how"] == "watch"


async def test_a_try_after_a_crash_keeps_the_release_that_its_turn_began_with(
    start: Start, folder: Path, ana: Person
) -> None:
    say(folder, "Uno")
    world = await start(workers=0)
    await recado("prompts", "release")
    old = json.loads((await recado("prompts", "list", "--format", "json")).out)[0]["release"]
    await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    conversation = (await world.redis.zrange("recado:open", 0, -1))[0]
    # State that a worker leaves when it dies in a turn.
    await world.redis.hset(f"recado:{{{conversation}}}:turn", mapping={"count": "1", "tries": "1", "release": old})  # type: ignore[misc]
    say(folder, "Dos")
    await recado("prompts", "release")
    async with running(world.settings, ("llm",), 10):
        await world.meta.replies(ana)
    assert told(world.models.requests[-1]) == "Uno"


async def test_the_front_matter_decides_about_models_and_tools_within_what_the_settings_allow(
    start: Start, folder: Path, ana: Person
) -> None:
    head = (
        "model: {id: a/b, fallbacks: [c/d], options: {temperature: 0.1, max_tokens: 5000}}\n"
        "tools: [business_hours, send_template]\n"
    )
    say(folder, "Uno\nuser:\n¿Abren?\nassistant:\nSí.", head)
    world = await start(LLM_MAX_TOKENS="700")
    world.models.will(ScriptedAnswer(status=404, body='{"error": {"code": 404, "message": "no"}}'), model="a/b")
    world.models.will(says("hecho"), model="c/d")
    await world.meta.writes(ana, {"type": "text", "text": {"body": "hola"}})
    await world.meta.replies(ana)
    asked = world.models.requests
    assert [request["model"] for request in asked] == ["a/b", "c/d"]
    assert {(request["temperature"], request["max_tokens"]) for request in asked} == {(0.1, 700)}
    # send_template is for staff: a prompt narrows, and never widens.
    assert [tool["function"]["name"] for tool in asked[-1]["tools"]] == ["business_hours"]
    assert [message["role"] for message in asked[-1]["messages"]] == ["system", "user", "assistant", "user"]


async def test_what_a_model_would_get_is_shown_with_its_price_and_the_difference(
    start: Start, folder: Path, ana: Person, tmp_path: Path
) -> None:
    say(folder, "Hola {{ customer_name }}.")
    world = await start()
    await ask(world, ana, "mi clave es girasol", says("anotado"))
    say(folder, "Adiós {{ customer_name }}.")
    shown = await recado("prompts", "render", "assistant", "--conversation", ana.phone or "", "--format", "json")
    seen = json.loads(shown.out)
    assert [(message["role"], message["content"]) for message in seen["messages"]] == [
        ("system", "Adiós Ana."), ("user", "mi clave es girasol"), ("assistant", "anotado"),
    ]  # fmt: skip
    assert seen["prompt_tokens"] > 10
    assert 0 < float(seen["cost_usd"]) < float(seen["most_usd"])
    assert "-Hola Ana." in seen["diff"]
    assert "+Adiós Ana." in seen["diff"]
    assert "girasol" not in shown.err
    values = tmp_path / "values.yaml"
    values.write_text("customer_name: Leo\n")
    assert "Adiós Leo." in (await recado("prompts", "render", "assistant", "--conversation", str(values))).out


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("check", "--format", "xml"), 2, "text or json"),
        (("render", "nothing", "--conversation", "values.json"), 1, "no prompt 'nothing'"),
        (("render", "assistant", "--conversation", "5215500000000"), 1, "nothing is known"),
        (("render", "assistant", "--conversation", "c_00000000000000000001"), 1, "nothing is known"),
        (("rollback",), 1, "no release before"),
        (("rollback", "abcdef"), 1, "no release begins"),
        (("diff", "abcdef"), 1, "nothing is released yet"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_what_can_not_be_done_is_told_in_a_line(
    redis: Redis, redis_address: str, command: tuple[str, ...], code: int, words: str
) -> None:
    assert redis
    Path("values.json").write_text("{}")
    ended = await recado("prompts", *command, REDIS_URL=redis_address)
    assert ended.code == code
    assert words in ended.err
    assert "Traceback" not in ended.err


async def test_a_check_prints_a_line_for_each_mistake_and_ends_with_1(folder: Path) -> None:
    right = await recado("prompts", "check")
    assert (right.code, right.out) == (0, "")
    say(folder, "{{ a }}\n**b**")
    wrong = await recado("prompts", "check")
    assert wrong.code == 1
    assert [line.split()[:2] for line in wrong.out.splitlines()] == [
        [f"{folder}/assistant.md:4:4", "unknown-variable"], [f"{folder}/assistant.md:5:1", "whatsapp-format"],
    ]  # fmt: skip
    found = json.loads((await recado("prompts", "check", "--format", "json")).out)
    facts = ("line", "column", "code", "severity")
    assert [tuple(diagnostic[fact] for fact in facts) for diagnostic in found] == [
        (4, 4, "unknown-variable", "error"), (5, 1, "whatsapp-format", "warning"),
    ]  # fmt: skip

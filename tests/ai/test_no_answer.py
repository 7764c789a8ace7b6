"""What a person sees when the models fail: an honest sentence in their language, in time."""

import pytest

from bot.sandbox.meta import Person
from bot.sandbox.openrouter import Scripted, calls, fails, says
from tests.world import Start, World

HTML = "<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(
    ("words", "apology"),
    [("Hola, ¿a qué hora abren mañana?", "Perdona"), ("Hello, when do you open tomorrow?", "Sorry")],
    ids=["Spanish", "English"],
)
@pytest.mark.parametrize(
    "failure",
    [fails(402), fails(500), Scripted(body=HTML), Scripted({"content": "tarde"}, delay=30), says("")],
    ids=["no credit", "500", "html", "silence", "nothing said"],
)
async def test_when_no_model_answers_the_person_is_told_so_in_their_language_and_in_time(
    start: Start, ana: Person, failure: Scripted, words: str, apology: str
) -> None:
    world = await start(TURN_DEADLINE_SECONDS="5", LLM_TIMEOUT_SECONDS="0.3")
    world.models.will(*[failure] * 8)
    await world.meta.writes(ana, {"type": "text", "text": {"body": words}})
    (reply,) = await world.meta.replies(ana, within=8)
    assert reply.text.startswith(apology)


async def test_a_model_that_calls_tools_for_ever_has_to_answer(world: World, ana: Person) -> None:
    world.models.will(*[calls(("business_hours", {}))] * 6, says("Abrimos a las 9."))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¿A qué hora abren?"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Abrimos a las 9."
    assert [request.get("tool_choice") for request in world.models.requests] == [None] * 6 + ["none"]
    # Providers refuse a history of calls where no tools are named.
    assert all(request["tools"] for request in world.models.requests)


async def test_one_that_goes_on_calling_does_not_silence_us(world: World, ana: Person) -> None:
    world.models.will(*[calls(("business_hours", {}))] * 9)
    await world.meta.writes(ana, {"type": "text", "text": {"body": "¿A qué hora abren?"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text.startswith("Perdona")
    assert len(world.models.requests) == 7

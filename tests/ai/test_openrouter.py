"""Failures of models over real HTTP: the models asked then, how often, and the cost."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from bot.ai.chat import (
    FromModel,
    FromPerson,
    FromTool,
    Instructions,
    ModelFailed,
    NoModelAnswered,
    ToolCall,
    ToolOffer,
)
from bot.ai.openrouter import OpenRouter
from bot.settings import LLMSettings
from sandbox.simulators.openrouter import ScriptedAnswer, calls, fails, says
from tests.ai.conftest import FIRST, SECOND, Desk
from tests.waiting import PATIENCE

THIRD = "openai/gpt-4o-mini"


def body(**fields: Any) -> ScriptedAnswer:
    return ScriptedAnswer(body=json.dumps(fields))


def choice(message: Any, **usage: Any) -> ScriptedAnswer:
    return body(model=FIRST, choices=[{"message": message}], usage=usage)


HTML = "<html><body>Bad gateway</body></html>"
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}

# The failure, the number of requests to the same model, and its name.
FAILURES = {
    "html 502": (ScriptedAnswer(status=502, body=HTML), 2, "server_error"),
    "html 200": (ScriptedAnswer(body=HTML), 1, "unreadable"),
    "an empty body": (ScriptedAnswer(body=""), 1, "unreadable"),
    "half a document": (ScriptedAnswer(body='{"choices": [{"mess'), 1, "unreadable"),
    "a body too deep to read": (ScriptedAnswer(body="[" * 100_000), 1, "unreadable"),
    "a list": (ScriptedAnswer(body="[1, 2]"), 1, "unreadable"),
    "null": (ScriptedAnswer(body="null"), 1, "unreadable"),
    "400": (fails(400), 1, "bad_request"),
    "401": (fails(401), 1, "unauthorized"),
    "402": (fails(402), 1, "no_credit"),
    "403": (fails(403), 1, "refused"),
    "404": (fails(404), 1, "unknown_model"),
    "408": (fails(408), 2, "timeout"),
    "413": (fails(413), 1, "too_large"),
    "418": (fails(418), 1, "error"),
    "429 that says nothing": (fails(429), 2, "rate_limited"),
    "429 for a while": (fails(429, Retry_After="0.1"), 2, "rate_limited"),
    "429 for a minute": (fails(429, Retry_After="60"), 1, "rate_limited"),
    "429 until a date": (fails(429, Retry_After="Wed, 25 Nov 2026 07:28:00 GMT"), 2, "rate_limited"),
    "500": (fails(500), 2, "server_error"),
    "503 for a minute": (fails(503, Retry_After="60"), 1, "server_error"),
    "an error of the provider in a 200": (body(error={"code": 502, "message": "Provider"}), 2, "server_error"),
    "a limit of the provider in a 200": (body(error={"code": 429, "message": "Limit"}), 2, "rate_limited"),
    "no credit in a 200": (body(error={"code": 402, "message": "Credit"}), 1, "no_credit"),
    "an error that is a text": (body(error="broken"), 1, "error"),
    "an error in the choice": (
        body(choices=[{"error": {"code": 502}, "message": {"content": "half"}}]),
        1,
        "no_choice",
    ),
    "no choices": (body(choices=[]), 1, "no_choice"),
    "choices that are none": (body(choices="none"), 1, "no_choice"),
    "a choice without a message": (body(choices=[{}]), 1, "no_choice"),
    "nothing said": (says(""), 1, "empty"),
    "only blanks said": (says(" \n "), 1, "empty"),
    "a content that is no text": (choice({"content": 7}), 1, "empty"),
    "arguments that are no JSON": (calls(("business_hours", '{"day": "mon')), 1, "bad_tool_call"),
    "arguments that are no object": (calls(("business_hours", "[1]")), 1, "bad_tool_call"),
    "arguments too deep to read": (calls(("business_hours", "[" * 100_000)), 1, "bad_tool_call"),
    "calls that are no list": (choice({"tool_calls": 5}), 1, "bad_tool_call"),
    "a call that is no object": (choice({"tool_calls": ["f"]}), 1, "bad_tool_call"),
    "a call without a name": (choice({"tool_calls": [CALL | {"function": {}}]}), 1, "bad_tool_call"),
    "arguments too deep to be kept": (calls(("f", '{"a":' * 50 + "1" + "}" * 50)), 1, "bad_tool_call"),
    "arguments without an end": (calls(("f", json.dumps({f"k{i}": 1 for i in range(10_000)}))), 1, "bad_tool_call"),
    "arguments that are large together": (calls(*[("f", json.dumps({"a": "x" * 30_000}))] * 3), 1, "bad_tool_call"),
    "a name without an end": (calls(("f" * 1_000, "{}")), 1, "bad_tool_call"),
    "more calls than anybody makes": (
        choice({"tool_calls": [CALL | {"id": str(i)} for i in range(100)]}),
        1,
        "bad_tool_call",
    ),
    "a cut body": (ScriptedAnswer({"content": "hola"}, cut=True), 2, "connection"),
    "silence": (ScriptedAnswer({"content": "hola"}, delay=600), 1, "timeout"),
    "a body that drips": (ScriptedAnswer({"content": "hola"}, drip=0.05), 1, "timeout"),
}


@pytest.mark.parametrize(("answer", "tries", "outcome"), FAILURES.values(), ids=FAILURES)
async def test_a_model_that_fails_is_followed_by_the_next(
    desk: Desk, answer: ScriptedAnswer, tries: int, outcome: str
) -> None:
    desk.imitation.will(answer, answer, model=FIRST)
    desk.imitation.will(says("buenas"), model=SECOND)
    assert (await desk.ask()).text == "buenas"
    # Counted at the server: no other layer may retry beside ours.
    assert desk.asked == [FIRST] * tries + [SECOND]
    assert desk.outcomes == [outcome] * tries + ["ok"]


@pytest.mark.parametrize(
    "answer",
    [answer for answer, tries, _ in FAILURES.values() if tries > 1],
    ids=[name for name, (_, tries, _) in FAILURES.items() if tries > 1],
)
async def test_a_failure_that_passes_costs_no_change_of_model(desk: Desk, answer: ScriptedAnswer) -> None:
    desk.imitation.will(answer, says("buenas"), model=FIRST)
    assert (await desk.ask()).text == "buenas"
    assert desk.asked == [FIRST, FIRST]


async def test_nobody_at_the_address_is_an_answer_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_BASE_URL", "http://127.0.0.1:9/api/v1")
    desk.model = OpenRouter(LLMSettings())
    with pytest.raises(NoModelAnswered) as caught:
        await desk.ask()
    await desk.model.close()
    assert desk.outcomes == ["connection"] * 4
    assert isinstance(caught.value.__cause__, ModelFailed)


async def test_when_all_models_fail_each_was_asked_and_the_last_failure_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MODELS_FALLBACK", THIRD)
    desk.model = OpenRouter(LLMSettings())
    desk.imitation.will(fails(402), fails(401), fails(404))
    with pytest.raises(NoModelAnswered) as caught:
        await desk.ask()
    await desk.model.close()
    assert desk.asked == [FIRST, SECOND, THIRD]
    assert str(caught.value.__cause__) == "unknown_model"


async def test_the_last_model_is_waited_for_as_long_as_the_deadline_allows(desk: Desk) -> None:
    desk.imitation.will(fails(402), model=FIRST)
    desk.imitation.will(fails(429, Retry_After="3.1"), says("por fin"), model=SECOND)
    assert (await desk.ask()).text == "por fin"


async def test_nobody_is_waited_for_beyond_the_deadline(desk: Desk) -> None:
    desk.imitation.will(fails(402), model=FIRST)
    desk.imitation.will(fails(429, Retry_After="600"), model=SECOND)
    # Neither the model's ten minutes nor the deadline is waited for.
    async with asyncio.timeout(45):
        with pytest.raises(NoModelAnswered):
            await desk.ask(seconds=60)
    assert desk.asked == [FIRST, SECOND]


async def test_the_deadline_ends_an_answer_that_does_not_come(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_TIMEOUT_SECONDS", "30")
    desk.model = OpenRouter(LLMSettings())
    desk.imitation.will(*[ScriptedAnswer({"content": "tarde"}, delay=600)] * 2)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(NoModelAnswered):
            await desk.ask(seconds=0.6)
    await desk.model.close()
    assert desk.asked == [FIRST, SECOND]
    assert desk.outcomes == ["timeout", "timeout"]


async def test_a_deadline_that_is_past_asks_nobody(desk: Desk) -> None:
    with pytest.raises(NoModelAnswered):
        await desk.ask(seconds=-1)
    assert desk.asked == []


async def test_an_attempt_that_is_given_up_is_not_booked_as_a_success(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_TIMEOUT_SECONDS", "30")
    desk.model = OpenRouter(LLMSettings())
    desk.imitation.will(ScriptedAnswer({"content": "tarde"}, delay=600))
    asking = asyncio.create_task(desk.ask())
    async with asyncio.timeout(PATIENCE):
        while not desk.asked:
            await asyncio.sleep(0.02)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await desk.model.close()
    assert desk.outcomes == ["broke_off"]


GOOD = json.dumps({"model": FIRST, "choices": [{"message": {"content": "hola"}}]})


@pytest.mark.parametrize(
    "before",
    ["\n \n\t\n", ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n", ": OPENROUTER PROCESSING\r\n\r\n"],
    ids=["blank lines", "comments", "comments with other ends"],
)
async def test_what_keeps_a_slow_connection_open_is_not_the_answer(desk: Desk, before: str) -> None:
    desk.imitation.will(ScriptedAnswer(body=before + GOOD))
    assert (await desk.ask()).text == "hola"
    assert desk.asked == [FIRST]


async def test_half_an_emoji_does_not_spoil_an_answer(desk: Desk) -> None:
    arguments = '{"reason": "cut \\ud83d"}'
    desk.imitation.will(choice({"content": "hola \ud83d", "tool_calls": [CALL | {"function": {
        "name": "f", "arguments": arguments}}]}))  # fmt: skip
    answer = await desk.ask()
    assert (answer.text, answer.calls[0].arguments) == ("hola ?", {"reason": "cut ?"})


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.0123, "prompt_tokens": 1000, "completion_tokens": 200}, Decimal("0.0123")),
        ({"cost": 0, "prompt_tokens": 1000, "completion_tokens": 200}, Decimal(0)),
        ({"cost": "0.5", "prompt_tokens": 1000, "completion_tokens": 200}, Decimal("0.5")),
        ({"prompt_tokens": 1000, "completion_tokens": 200}, Decimal("0.0003")),
        ({"cost": None, "prompt_tokens": 1000, "completion_tokens": 200}, Decimal("0.0003")),
        ({"cost": -1, "prompt_tokens": 1000, "completion_tokens": 200}, Decimal("0.0003")),
        ({"cost": float("nan"), "prompt_tokens": 1000, "completion_tokens": 200}, Decimal("0.0003")),
        ({"cost": True, "prompt_tokens": 1000, "completion_tokens": 200}, Decimal("0.0003")),
    ],
    ids=["told", "free", "told as a text", "not told", "null", "negative", "not a number", "not even a number"],
)
async def test_what_an_answer_cost_is_what_openrouter_says_else_what_the_table_says(
    desk: Desk, usage: dict[str, Any], cost: Decimal
) -> None:
    desk.imitation.will(choice({"content": "hola"}, **usage))
    await desk.ask()
    (attempt,) = desk.booked
    assert (attempt.prompt_tokens, attempt.completion_tokens, attempt.cost_usd) == (1000, 200, cost)


@pytest.mark.parametrize("usage", [None, "many", {"prompt_tokens": "many", "completion_tokens": -3, "cost": "much"}])
async def test_odd_figures_cost_nothing_and_break_nothing(desk: Desk, usage: Any) -> None:
    desk.imitation.will(body(model=FIRST, choices=[{"message": {"content": "hola"}}], usage=usage))
    assert (await desk.ask()).text == "hola"
    (attempt,) = desk.booked
    assert (attempt.prompt_tokens, attempt.completion_tokens, attempt.cost_usd) == (0, 0, Decimal(0))


async def test_a_failed_answer_that_cost_is_booked(desk: Desk) -> None:
    message = {"role": "assistant", "content": " "}
    desk.imitation.will(choice(message, cost=0.02, prompt_tokens=10, completion_tokens=1), says("buenas"))
    await desk.ask()
    assert [(attempt.outcome, attempt.cost_usd > 0) for attempt in desk.booked] == [("empty", True), ("ok", True)]


async def test_which_model_served_is_booked_beside_which_was_asked(desk: Desk) -> None:
    served = "anthropic/claude-3-haiku-20240307"
    desk.imitation.will(body(model=served, choices=[{"message": {"content": "hola"}}], usage={"prompt_tokens": 4}))
    assert (await desk.ask()).served == served
    (attempt,) = desk.booked
    assert (attempt.asked, attempt.served, attempt.cost_usd) == (FIRST, served, Decimal("0.000001"))


async def test_all_that_is_said_reaches_the_model_in_its_words(desk: Desk) -> None:
    call = ToolCall("r0c0", "business_hours", {"day": "sábado"})
    tool = ToolOffer("business_hours", "Hours", {"type": "object", "properties": {}})
    lines = (Instructions("Eres…"), FromPerson("¿Abren?"), FromModel("", (call,)), FromTool("r0c0", "9-14"))
    await desk.ask(*lines, tools=(tool,))
    (request,) = desk.imitation.requests
    function = {"name": "business_hours", "arguments": '{"day": "sábado"}'}
    assert request == {
        "model": FIRST,
        "max_tokens": 1000,
        "temperature": 0.7,
        "usage": {"include": True},
        "messages": [
            {"role": "system", "content": "Eres…"},
            {"role": "user", "content": "¿Abren?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "r0c0", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "r0c0", "content": "9-14"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "business_hours",
                    "description": "Hours",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ],
    }


async def test_each_request_names_the_tools_of_its_own_question(desk: Desk) -> None:
    parameters = {"type": "object", "properties": {}}
    tool = ToolOffer("first", "Él", parameters)
    await desk.ask(FromPerson("hola"), tools=(tool,))
    parameters["properties"] = {"day": {"type": "string"}}
    await desk.ask(FromPerson("hola"), tools=(tool,))
    for number in range(20):
        await desk.ask(FromPerson("hola"), tools=(ToolOffer(f"tool-{number}", "Él", {}), tool))
    await desk.ask(FromPerson("hola"))
    named = [[tool["function"] for tool in request.get("tools", ())] for request in desk.imitation.requests]
    first = {"name": "first", "description": "Él", "parameters": {"type": "object", "properties": {}}}
    later = first | {"parameters": parameters}
    others = [[{"name": f"tool-{number}", "description": "Él", "parameters": {}}, later] for number in range(20)]
    assert named == [[first], [later], *others, []]


async def test_a_picture_is_shown_to_a_model_that_sees_and_to_no_other(desk: Desk) -> None:
    desk.imitation.will(fails(402), says("una foto"))
    await desk.ask(FromPerson("¿Qué es?", (b"\xff\xd8\xff",)))
    seen, unseen = (request["messages"][0]["content"] for request in desk.imitation.requests)
    assert seen == [
        {"type": "text", "text": "¿Qué es?"},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/"}},
    ]
    assert unseen == "¿Qué es?"

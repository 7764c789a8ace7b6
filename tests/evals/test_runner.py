"""Evaluations: cases with real tools in a closed environment, by recordings or by a model over HTTP."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.agent.loop import ToolResult
from bot.agent.vocabulary import vocabulary
from bot.prompting.linter import check_folder
from bot.prompting.prompts import Prompts
from bot.settings import Settings
from bot.web.server import listening
from evals.cases import CasesWrong, Expected, read_cases
from evals.expectations import TurnOutcome, unmet
from evals.recordings import load
from evals.report import as_json, as_text
from evals.runner import live, offline, record
from sandbox.simulators.openrouter import OpenRouterSimulator, calls, says
from tests.paths import ROOT
from tests.processes import recado
from tests.rows import each

HOURS = """
- name: hours
  turns:
    - text: Hola, ¿a qué hora abren hoy?
      expect: {calls: [business_hours], contains: [abierto], language: es, messages: 1}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The prompts of the pack with one case of the test's own."""
    made = tmp_path / "prompts"
    (made / "evals").mkdir(parents=True)
    for path in (ROOT / "prompts").glob("*.md"):
        shutil.copy(path, made)
    write(made, HOURS)
    monkeypatch.setenv("PROMPTS_DIR", str(made))
    return made


def write(folder: Path, cases: str) -> None:
    (folder / "evals" / "cases.yaml").write_text(cases)


def prompts_of(folder: Path) -> Prompts:
    return check_folder(folder, vocabulary(Settings())).release()


async def recorded(folder: Path) -> Any:
    """Record the folder's cases by hand, then play them."""
    await record(Settings(), prompts_of(folder), folder, read_cases(folder))
    return await offline(Settings(), prompts_of(folder), folder, read_cases(folder))


async def test_a_recorded_case_is_played_again_with_the_real_tools(folder: Path) -> None:
    report = await recorded(folder)
    assert [(outcome.case, outcome.state, outcome.by) for outcome in report.outcomes] == [
        ("hours", "passed", "sandbox-stand-in")
    ]
    assert as_text(report).endswith("recorded by: sandbox-stand-in 1")


def said(folder: Path, *lines: str) -> None:
    """Let the assistant's prompt have these lines."""
    (folder / "assistant.md").write_text("\n".join(("Soy de {{ business.name }}.", *lines)) + "\n")


async def states(folder: Path) -> list[str]:
    report = await offline(Settings(), prompts_of(folder), folder, read_cases(folder))
    return [outcome.state for outcome in report.outcomes]


async def test_what_examples_answer_is_proven_anew_with_each_prompt_and_the_report_says_by_whom(folder: Path) -> None:
    await recorded(folder)
    said(folder, "Otra cosa.")
    report = await offline(Settings(), prompts_of(folder), folder, read_cases(folder))
    assert [outcome.state for outcome in report.outcomes] == ["passed"]
    assert "1 answered by examples or the stand-in, not by a model" in as_text(report)
    write(folder, HOURS.replace("[abierto]", "[luna]"))
    assert await states(folder) == ["failed"]


HELLO = """
- name: hello
  turns:
    - text: Hola
      expect: {contains: [hola]}
"""


async def test_a_model_s_answer_stays_proven_until_something_changes_that_concerns_it(
    folder: Path, models: OpenRouterSimulator
) -> None:
    write(folder, HOURS + HELLO)
    said(folder, "- `business_hours`: horarios.", "- `list_plans`: planes.", "- Sé breve", "  y amable.")
    models.will(calls(("business_hours", {})), says("Hoy está abierto."))
    models.will(says("Hola."))
    await record(Settings(), prompts_of(folder), folder, read_cases(folder)[:1])
    await record(Settings(), prompts_of(folder), folder, read_cases(folder)[1:])
    assert await states(folder) == ["passed", "passed"]
    said(folder, "- `business_hours`: horarios.", "- `list_plans`: precios.", "- Sé breve y", "  amable.")
    assert await states(folder) == ["passed", "passed"]
    said(folder, "- `business_hours`: días y horas.", "- `list_plans`: planes.", "- Sé breve y amable.")
    assert await states(folder) == ["stale", "passed"]
    said(folder, "- `business_hours`: horarios.", "- `list_plans`: planes.", "- Sé seco.")
    report = await offline(Settings(), prompts_of(folder), folder, read_cases(folder))
    assert [outcome.state for outcome in report.outcomes] == ["stale", "stale"]
    assert "--record" in as_text(report)
    assert "USD the last time" in as_text(report)


async def test_a_tool_that_answers_otherwise_makes_a_model_s_answer_stale(
    folder: Path, models: OpenRouterSimulator
) -> None:
    models.will(calls(("business_hours", {})), says("Hoy está abierto."))
    assert [outcome.state for outcome in (await recorded(folder)).outcomes] == ["passed"]
    business = folder / "_business.md"
    business.write_text(business.read_text().replace("tuesday: 9:00-19:00", "tuesday: 9:00-18:00"))
    assert await states(folder) == ["stale"]


async def test_record_asks_the_model_only_for_what_is_not_proven(folder: Path, models: OpenRouterSimulator) -> None:
    write(folder, HELLO)
    models.will(says("Hola."))
    ended = await recado("prompts", "eval", "--record")
    assert (ended.code, "recording 1 of 1" in ended.err, len(models.requests)) == (0, True, 1)
    ended = await recado("prompts", "eval", "--record")
    assert (ended.code, "recording 0 of 1" in ended.err, len(models.requests)) == (0, True, 1)
    for asked in ("hello", "--all"):
        models.will(says("Hola."))
        assert (await recado("prompts", "eval", "--record", asked)).code == 0
    assert len(models.requests) == 3
    assert (await recado("prompts", "eval", "--all")).code == 2


async def test_a_file_that_changed_is_stale_until_it_is_read_again(folder: Path) -> None:
    voice = folder / "evals" / "heard.ogg"
    shutil.copy(ROOT / "fixtures/media/voice/es_ticket.ogg", voice)
    write(folder, "- {name: heard, turns: [{voice: heard.ogg, expect: {contains: [internet]}}]}")
    assert [outcome.state for outcome in (await recorded(folder)).outcomes] == ["passed"]
    shutil.copy(ROOT / "fixtures/media/voice/en_price.ogg", voice)
    assert await states(folder) == ["stale"]
    assert [outcome.state for outcome in (await recorded(folder)).outcomes] == ["failed"]


async def test_an_expectation_that_is_not_met_fails_the_case_and_says_why(folder: Path) -> None:
    await recorded(folder)
    write(folder, HOURS.replace("[abierto]", "[luna]"))
    ended = await recado("prompts", "eval", "--format", "json")
    assert ended.code == 1
    (outcome,) = json.loads(ended.out)["outcomes"]
    assert (outcome["state"], outcome["problems"]) == ("failed", ["expected 'luna' in the reply"])
    told = (await recado("prompts", "eval", LANG="es_MX.UTF-8")).out
    assert "hours: se esperaba 'luna' en la respuesta\n" in told


async def test_what_acts_reaches_nobody_whatever_keys_are_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STRIPE_SECRET_KEY", "SENDGRID_API_KEY", "WHATSAPP_ACCESS_TOKEN", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, "sk_live_of_somebody")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    write(
        folder,
        """
- name: pro
  contact: {plan: basico_month_mxn, email: ana@example.com}
  turns:
    - text: Mándame mi factura por correo
      example: [{calls: [{send_invoice: {by: email}}]}, {says: "Va en camino a tu correo."}]
      expect: {calls: [{send_invoice: {by: email}}]}
    - text: Ahora quiero el plan Pro
      example: [{calls: [{change_plan: {plan: Pro}}]}, {says: "-"}]
      expect: {calls: [change_plan], contains: ["(to tap:"]}
- name: staff
  role: staff
  turns:
    - text: manda el recordatorio
      example:
        - calls: [{send_template: {to: "5215512345678", template: payment_reminder,
            parameters: {name: Ana, amount: "199", date: "2026-12-01"}}}]
        - {says: "Listo."}
      expect: {calls: [send_template]}
""",
    )
    report = await recorded(folder)
    assert [(outcome.state, outcome.problems, outcome.by) for outcome in report.outcomes] == [
        ("passed", (), "example")
    ] * 2


async def test_a_voice_note_and_a_photo_are_perceived_once_and_recorded(folder: Path) -> None:
    shutil.copy(ROOT / "fixtures/media/voice/es_ticket.ogg", folder / "evals")
    write(
        folder,
        """
- name: heard
  turns:
    - voice: es_ticket.ogg
      expect: {contains: [internet]}
- name: given
  turns:
    - photo: {text_read: "Detergente $35.50", codes: "EAN13 7503001234564"}
      expect: {contains: ["7503001234564", "$35.50"]}
""",
    )
    report = await recorded(folder)
    assert [(outcome.case, outcome.state) for outcome in report.outcomes] == [("heard", "passed"), ("given", "passed")]
    kept = load(folder, "heard")
    assert kept is not None
    assert kept.turns[0].perceived is not None
    assert "levantar un reporte" in kept.turns[0].perceived.text


async def test_a_missing_file_fails_its_case_alone(folder: Path) -> None:
    write(folder, HOURS + "- name: gone\n  turns: [{voice: media/gone.ogg}]\n")
    ended = await recado("prompts", "eval", "--record", "--format", "json")
    assert (ended.code, ended.err) == (1, "")
    hours, gone = json.loads(ended.out)["outcomes"]
    assert (hours["state"], gone["state"]) == ("passed", "failed")
    assert gone["problems"] == [f"there is no file media/gone.ogg in {folder / 'evals'}"]


async def test_a_folder_that_can_not_be_written_is_told_in_a_line(folder: Path) -> None:
    (folder / "evals" / "recordings").write_text("a file in the place of the folder")
    ended = await recado("prompts", "eval", "--record")
    assert (ended.code, "can't be written" in ended.err, "Traceback" in ended.err) == (1, True, False)


@pytest.mark.parametrize("name", ["media", "x" * 300, "..", "a\\0b"])
async def test_a_name_that_is_no_file_fails_its_case_alone(folder: Path, name: str) -> None:
    write(folder, f'- {{name: odd, turns: [{{photo: "{name}"}}]}}')
    (outcome,) = (await recorded(folder)).outcomes
    assert (outcome.state, "there is no file" in str(outcome.problems[0])) == ("failed", True)


@pytest.fixture
async def models(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenRouterSimulator]:
    imitation = OpenRouterSimulator("key")
    async with listening(imitation.app(), "127.0.0.1", 0, finish=0.1) as url:
        monkeypatch.setenv("OPENROUTER_API_KEY", "key")
        monkeypatch.setenv("LLM_BASE_URL", f"{url}/api/v1")
        yield imitation


async def test_live_a_case_is_asked_several_times_and_its_rate_is_told_with_its_interval(
    folder: Path, models: OpenRouterSimulator
) -> None:
    write(folder, HOURS.replace("messages: 1", "messages: 1, judge: says when it is open"))
    good = (calls(("business_hours", {})), says("Hoy está abierto."))
    models.will(*good, says("PASS fine"), *good, says("FAIL it is rude"), says("No sé"), says("PASS"))
    report = await live(Settings(), prompts_of(folder), read_cases(folder), 3)
    (outcome,) = report.outcomes
    assert (outcome.state, outcome.passes, outcome.runs) == ("failed", 1, 3)
    assert "the judge says no: FAIL it is rude" in map(str, outcome.problems)
    assert outcome.cost_usd > 0
    before = await live(Settings(), prompts_of(folder), read_cases(folder), 1)
    shown = as_text(report, before, is_live=True)
    assert "1/3 (6% … 79%)" in shown
    assert "→" in shown
    assert as_json(report, before)["against"]["cases"] == 1


async def test_what_a_real_model_answers_is_recorded_with_its_name_and_its_judge(
    folder: Path, models: OpenRouterSimulator
) -> None:
    write(folder, HOURS.replace("messages: 1", "cost_usd: 0.5, judge: says when it is open"))
    models.will(calls(("business_hours", {})), says("Hoy está abierto."), says("PASS it does"))
    report = await recorded(folder)
    (outcome,) = report.outcomes
    assert (outcome.state, outcome.by, outcome.unjudged) == ("passed", "anthropic/claude-3-haiku", 0)
    assert outcome.cost_usd > 0
    assert len(models.requests) == 3


async def test_live_without_a_key_is_wrong_use(folder: Path) -> None:
    ended = await recado("prompts", "eval", "--tier", "live")
    assert (ended.code, "OPENROUTER_API_KEY" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        ("- name: a\n  turns: [{text: x, voice: y.ogg}]", "case a: turns.0: expected one of text"),
        ("- name: A b\n  turns: [{text: x}]", "case A b: name: expected small letters"),
        (
            "- name: a\n  turns: [{text: x, expect: {contain: [y]}}]",
            "case a: turns.0.expect.contain: this key is not known",
        ),
        ("- name: a\n  turns: [{text: x, expect: {matches: '('}}]", "not a regular expression"),
        ("- {name: a", "cases.yaml:1:11: expected ',' or '}'"),
        ("- {name: a, turns: [{text: x}]}\n- {name: a, turns: [{text: x}]}", "the same name"),
        ("just words", "case 1: expected lines of `name: value`"),
    ],
)
def test_a_case_that_is_written_wrong_is_told_with_its_place(folder: Path, cases: str, told: str) -> None:
    write(folder, cases)
    with pytest.raises(CasesWrong, match=r"cases\.yaml") as error:
        read_cases(folder)
    assert told in str(error.value)
    (line, *_) = error.value.said("es")
    assert line not in str(error.value)


def _out(text: str, *tools: tuple[str, dict[str, Any]], **more: Any) -> TurnOutcome:
    done = tuple(
        ToolResult(call_id="1", name=name, arguments=given, result="", outcome="ok", milliseconds=1)
        for name, given in tools
    )
    return TurnOutcome((text,), done, frozenset({"send_email"}), **more)


@each(
    ("expected", "out", "problem"),
    [
        ({"calls": ["a"]}, _out("x"), "expected a call of a; called: nothing"),
        ({"calls": [{"a": {"n": "1"}}]}, _out("x", ("a", {"n": "2"})), 'expected a call of a {"n": "1"}'),
        ({"not_calls": ["a"]}, _out("x", ("a", {})), "a was called"),
        ({"contains": ["SÍ"]}, _out("no"), "expected 'SÍ' in the reply"),
        ({"contains_any": ["a", "b"]}, _out("no"), "expected one of 'a', 'b'"),
        ({"not_contains": ["clave"]}, _out("mi CLAVE"), "'clave' is in the reply"),
        ({"matches": r"\d"}, _out("no"), "doesn't match"),
        ({"not_matches": r"\d"}, _out("1"), "must not"),
        ({"language": "en"}, _out("Hola, ¿qué tal?"), "expected en, the reply is es"),
        ({"messages": 0}, _out("no"), "at most 0 messages"),
        ({"characters": 1}, _out("no"), "at most 1 characters"),
        ({"refuses": True}, _out("Claro que sí."), "expected a refusal"),
        ({"refuses": True}, _out("No puedo.", ("send_email", {})), "but it acted: send_email"),
        ({"refuses": False}, _out("I can't do that."), "the reply refuses"),
        ({"hands_over": True}, _out("x"), "expected a hand-over"),
        ({"cost_usd": 0.1}, _out("x", cost_usd=Decimal("0.2")), "at most 0.1 USD"),
        ({"milliseconds": 5}, _out("x", milliseconds=9.0), "at most 5 ms"),
    ],
)
def test_what_is_not_as_expected_is_a_sentence(expected: dict[str, Any], out: TurnOutcome, problem: str) -> None:
    found = unmet(Expected.model_validate(expected), out)
    assert len(found) == 1
    assert problem in str(found[0])
    assert found[0].said("es") != str(found[0])


def test_what_is_as_expected_is_none() -> None:
    wanted = {"calls": [{"a": {"n": "uno"}}], "contains": ["si"], "language": "es", "refuses": True, "messages": 1}
    assert not unmet(Expected.model_validate(wanted), _out("Sí, pero no puedo más", ("a", {"n": "Uno dos", "m": 1})))

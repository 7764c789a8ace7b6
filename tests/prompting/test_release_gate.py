"""With PROMPTS_GATE=offline, a release has to pass its recorded cases."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.agent.vocabulary import library_of, vocabulary
from bot.cli.eval_process import evaluate_cases, report_of
from bot.infra.redis import cancel_and_wait
from bot.prompting.canary import CurrentRelease
from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.library import Library
from bot.prompting.linter import check_folder
from bot.prompting.prompts import Prompts
from bot.prompting.release_gate import EvaluationReport, OfflineGate, no_evaluation
from bot.prompting.releases import Releases, read_current_release
from bot.prompting.watcher import watch
from bot.settings import Settings
from evals.cases import CasesWrong, read_cases
from evals.report import as_json
from evals.runner import offline, record
from tests.processes import recado
from tests.prompting.operating import overheard, upcoming

HOURS = """\
- name: hours
  turns:
    - text: Hola, ¿a qué hora abren hoy?
      expect: {contains: [abierto]}
"""


@pytest.fixture
def folder(own_prompts: Path) -> Path:
    """The prompts of the pack with one case."""
    for path in (own_prompts / "evals").glob("*.yaml"):
        path.unlink()
    cases(own_prompts, HOURS)
    return own_prompts


def cases(folder: Path, text: str) -> None:
    (folder / "evals" / "own.yaml").write_text(text)


def prompts_of(folder: Path) -> Prompts:
    return check_folder(folder, vocabulary(Settings())).release()


async def recorded(folder: Path) -> None:
    await record(Settings(), prompts_of(folder), folder, read_cases(folder))


async def evaluated(folder: Path, _: str | None) -> EvaluationReport:
    """The report that the command prints, made in this process."""
    out = err = ""
    try:
        out = json.dumps(as_json(await offline(Settings(), prompts_of(folder), folder, read_cases(folder))))
    except CasesWrong as error:
        err = str(error)
    return report_of(out, err)


async def found(folder: Path, prompts: Prompts | None = None) -> list[str]:
    """Diagnostics of the gate with this report."""
    return [str(diagnostic) for diagnostic in await OfflineGate(folder, evaluated)(prompts or prompts_of(folder))]


async def test_each_case_that_fails_or_proves_nothing_is_a_line_with_its_place(folder: Path) -> None:
    await recorded(folder)
    assert await found(folder) == []
    cases(folder, f"{HOURS.replace('abierto', 'luna')}\n- name: new\n  turns: [{{text: Hola}}]\n")
    failed, stale = await found(folder)
    assert failed.startswith(
        f"{folder}/evals/own.yaml:1:3 case-failed case hours fails: expected 'luna' in the reply; "
    )
    (plain, _) = await OfflineGate(folder, evaluated)(prompts_of(folder))
    assert "hours (se esperaba 'luna' en la respuesta). " in plain.plain("es")
    assert "hours (expected 'luna' in the reply). " in plain.plain("en")
    lacking = "case-stale case new proves nothing: it has no recording; `recado prompts eval --record`"
    assert stale == f"{folder}/evals/own.yaml:6:3 {lacking}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "no-cases holds no cases"),
        ("- {name: a, turns: [{text: x}]", "not-evaluated {folder}/evals/own.yaml:2:1: expected ',' or '}'"),
    ],
    ids=["none", "broken"],
)
async def test_without_cases_that_can_be_read_nothing_is_proven(folder: Path, text: str, told: str) -> None:
    cases(folder, f"{text}\n")
    (line,) = await found(folder)
    assert line.startswith(f"{folder}/evals:1:1 {told.replace('{folder}', str(folder))}")


async def test_what_was_changed_while_it_was_evaluated_is_not_released(folder: Path) -> None:
    await recorded(folder)
    before = prompts_of(folder)
    (folder / "assistant.md").write_text("Hola.\n")
    (line,) = await found(folder, before)
    assert line.startswith(f"{folder}/evals:1:1 not-evaluated the folder was changed while")


async def test_an_evaluation_without_end_is_ended(folder: Path) -> None:
    (diagnostic,) = await OfflineGate(folder, partial(evaluate_cases, seconds=0.05))(prompts_of(folder))
    assert diagnostic.message == "took longer than 0 seconds"


async def test_a_process_that_was_given_no_evaluation_releases_nothing(folder: Path, redis: Redis) -> None:
    gate = OfflineGate(folder, no_evaluation)
    library = Library(redis, folder, vocabulary(Settings()), in_use=_nothing_in_use, gate=gate)
    await library.open()
    (folder / "assistant.md").write_text("Otra cosa, {{ business.name }}.\n")
    with pytest.raises(PromptsWrong, match="this process can't evaluate cases"):
        await library.release(await library.check(), how="release")


async def test_a_release_that_its_cases_do_not_prove_is_refused_with_a_line_for_each(
    folder: Path, redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_address)
    monkeypatch.setenv("PROMPTS_GATE", "offline")
    first = await library_of(redis, Settings()).open()
    (folder / "assistant.md").write_text("Otra cosa, {{ business.name }}.\n")
    refused = await recado("prompts", "release", "--canary", "10")
    assert refused.code == 1
    assert refused.out.startswith(f"{folder}/evals/own.yaml:1:3 case-stale A case to be recorded anew: hours (")
    assert await read_current_release(redis) == CurrentRelease(first.release)


async def test_where_saving_is_releasing_the_gate_is_asked_beside_the_work_and_again_when_a_case_changes(
    folder: Path, redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("REDIS_URL", redis_address), ("PROMPTS_GATE", "offline"), ("PROMPTS_RELEASE", "watch")):
        monkeypatch.setenv(name, value)
    library = library_of(redis, Settings(), evaluate_cases)
    first = await library.open()
    watching = asyncio.create_task(watch(library))
    try:
        async with overheard(redis) as received:
            (folder / "assistant.md").write_text("Otra cosa, {{ business.name }}.\n")
            wrong = await upcoming(received, "wrong")
            assert (wrong["release"], [finding["code"] for finding in wrong["findings"]]) == (
                first.release,
                ["case-stale"],
            )
            assert (await library.now()).release == first.release
            await recorded(folder)
            (folder / "notas.txt").write_text("grabado")
            released = await upcoming(received, "released")
            assert released["release"] == prompts_of(folder).release == (await library.now()).release
            assert [event["kind"] for event in received if event["type"] == "alert"] == ["prompts"]
    finally:
        await cancel_and_wait(watching)
    assert len(await Releases(redis, _nothing_in_use).history()) == 2


async def _nothing_in_use() -> tuple[str, ...]:
    return ()

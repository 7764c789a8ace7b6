"""Cases that come with Recado: complete, and their recordings still match the requests."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from bot.agent.tools.catalog import TABLE
from bot.agent.vocabulary import vocabulary
from bot.ai.chat import tokens
from bot.prompting.linter import check_folder
from bot.settings import Settings
from evals.cases import read_cases
from evals.runner import offline
from tests.paths import ROOT
from tests.processes import recado

_WAYS_OF_INJECTING = ("text", "name", "label", "qr", "transcript", "document")


@pytest.fixture(autouse=True)
def _documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNOWLEDGE_DIR", str(ROOT / "knowledge"))


def _folder() -> Path:
    return Path(os.environ["PROMPTS_DIR"])


async def test_every_case_passes_offline_and_none_is_stale() -> None:
    """Stale after a change of a prompt or a tool: `recado prompts eval --record` makes the recordings anew."""
    settings, folder = Settings(), _folder()
    prompts = check_folder(folder, vocabulary(settings)).release()
    report = await offline(settings, prompts, folder, read_cases(folder))
    assert [
        (outcome.case, outcome.state, outcome.problems) for outcome in report.outcomes if outcome.state != "passed"
    ] == []
    assert report.seconds < 30


async def test_a_copy_of_the_folder_runs_its_cases(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(_folder(), copy)
    first, *others = sorted((copy / "evals").glob("*.yaml"))
    for other in others:
        other.unlink()
    assert first.exists()
    ended = await recado("prompts", "eval", "--format", "json", PROMPTS_DIR=str(copy))
    assert (ended.code, ended.err) == (0, "")
    report = json.loads(ended.out)
    assert report["passed"] == report["cases"] == len(read_cases(copy))


def test_there_are_forty_cases_a_fifth_of_them_heard_or_seen_and_a_red_team() -> None:
    cases = read_cases(_folder())
    sensed = [case for case in cases if any(turn.kind in ("voice", "photo") for turn in case.turns)]
    assert len(cases) >= 40
    of_documents = [case for case in cases if "knowledge" in case.tags]
    assert len(sensed) * 5 >= len(cases) - len(of_documents)
    red = {case.name for case in cases if "red-team" in case.tags}
    assert {f"inject-{way}" for way in _WAYS_OF_INJECTING} <= red


def test_thirty_cases_ask_the_documents_some_in_vain_and_some_of_hostile_ones() -> None:
    asking = [case for case in read_cases(_folder()) if "knowledge" in case.tags]
    assert len(asking) >= 30
    assert sum("unanswerable" in case.tags for case in asking) >= 10
    assert sum("red-team" in case.tags for case in asking) >= 5
    assert all(turn.expect.sources or turn.expect.claims_nothing for case in asking for turn in case.turns)


def test_no_prompt_says_a_thing_twice() -> None:
    for path in _folder().glob("*.md"):
        sentences = [
            sentence.strip(" -.") for sentence in re.split(r"\n|(?<=\.) ", path.read_text()) if len(sentence) > 40
        ]
        words = [re.sub(r" también| sólo| solo", "", sentence) for sentence in sentences]
        assert [word for word in words if words.count(word) > 1] == []


def test_the_prompt_names_every_tool_and_stays_within_its_tokens() -> None:
    prompt = (_folder() / "assistant.md").read_text()
    assert [row.tool.name for row in TABLE if f"`{row.tool.name}`" not in prompt] == []
    assert tokens(prompt) < 2000
    assert check_folder(_folder(), vocabulary(Settings())).diagnostics == ()

"""Each recorded shape of an answer, over real HTTP: the words, the calls, or a failed attempt and the next model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.simulators.openrouter import ScriptedAnswer, says
from tests.ai.conftest import FIRST, SECOND, Desk
from tests.paths import ROOT

ROWS: list[dict[str, Any]] = json.loads((ROOT / "fixtures/ai/answers.json").read_text())
NOTE = "moroso"


def recorded(row: dict[str, Any]) -> ScriptedAnswer:
    choice = {"finish_reason": row.get("finish", "stop"), "message": row.get("message")}
    return ScriptedAnswer(body=json.dumps(row.get("body") or {"model": FIRST, "choices": [choice]}))


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
async def test_every_known_shape_of_an_answer_has_its_outcome(desk: Desk, row: dict[str, Any]) -> None:
    desk.imitation.will(recorded(row), recorded(row), model=FIRST)
    desk.imitation.will(says("buenas"), model=SECOND)
    answer = await desk.ask()
    assert NOTE not in repr(answer)
    if "fails" in row:
        assert answer.text == "buenas"
        assert set(desk.outcomes[:-1]) == {row["fails"]}
        return
    assert desk.outcomes == ["ok"]
    if "says" in row:
        assert (answer.text, answer.calls) == (row["says"], ())
    else:
        assert [[call.name, call.arguments] for call in answer.calls] == row["calls"]
        assert len({call.id for call in answer.calls}) == len(answer.calls)


def test_every_row_has_a_name_of_its_own_and_one_outcome() -> None:
    assert len({row["name"] for row in ROWS}) == len(ROWS)
    assert all(
        len(row.keys() & {"says", "calls", "fails"}) == len(row.keys() & {"message", "body"}) == 1 for row in ROWS
    )

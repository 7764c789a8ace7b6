from __future__ import annotations

from pathlib import Path

import pytest

from checks import document_names
from tests.checks.conftest import Plant


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Raise `ToolFault`.", "ToolFault"),
        ("See `bot.gone` for it.", "bot.gone"),
        ("`bot.agent.gone.apart`", "bot.agent.gone.apart"),
    ],
)
def test_a_name_that_no_module_has_is_told(plant: Plant, tmp_path: Path, text: str, name: str) -> None:
    plant("bot/agent/tool.py", "class ToolError(Exception): ...\n")
    plant("docs/a.md", f"# A\n{text}\n")
    assert [str(finding) for finding in document_names.findings(tmp_path)] == [f"docs/a.md:2: {name} is in no module"]


def test_known_names_and_prose_are_free(plant: Plant, tmp_path: Path) -> None:
    plant("bot/agent/tool.py", "class ToolError(Exception): ...\n")
    plant(
        "CONTRIBUTING.md",
        "`ToolError` of `bot.agent.tool`, `bot.agent.tool.call`, by `Basic` to OpenRouter and WhatsApp",
    )
    assert document_names.findings(tmp_path) == []

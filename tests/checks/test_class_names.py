from __future__ import annotations

from pathlib import Path

from checks import class_names
from tests.checks.conftest import Plant


def test_a_public_class_name_of_two_modules_is_told_with_both_places(plant: Plant, tmp_path: Path) -> None:
    plant("bot/turns/turn.py", "class Card: ...\n")
    plant("evals/cases.py", "\n\nclass Card: ...\n")
    assert [str(finding) for finding in class_names.findings(tmp_path)] == [
        "bot/turns/turn.py:1: class Card is defined elsewhere too: evals/cases.py:3",
        "evals/cases.py:3: class Card is defined elsewhere too: bot/turns/turn.py:1",
    ]


def test_private_names_the_sandbox_and_tests_are_free(plant: Plant, tmp_path: Path) -> None:
    plant("bot/a.py", "class _Row: ...\nclass Card: ...\n")
    plant("bot/b.py", "class _Row: ...\n")
    plant("sandbox/b.py", "class Card: ...\n")
    plant("tests/b.py", "class Card: ...\n")
    assert class_names.findings(tmp_path) == []

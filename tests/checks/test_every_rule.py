from __future__ import annotations

from pathlib import Path

import pytest

from checks.__main__ import main
from tests.checks.conftest import Plant


def test_a_broken_tree_exits_1_and_names_each_place(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant("bot/a.py", '"""What it is."""\nclass Card: ...\n')
    plant("bot/b.py", "class Card: ...\n")
    monkeypatch.chdir(tmp_path)
    assert main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines[:-1]] == ["bot/a.py:2:", "bot/b.py:1:", "bot/a.py:1:"]
    assert lines[-1] == "3 left to mend"


def test_a_sound_tree_exits_0(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant("bot/a.py", '"""A card."""\nclass Card: ...\n')
    monkeypatch.chdir(tmp_path)
    assert main() == 0
    assert capsys.readouterr().out == "The rules of the repository hold.\n"

from __future__ import annotations

from pathlib import Path

import pytest

from checks import sizes
from tests.checks.conftest import Plant


@pytest.mark.parametrize(("lines", "told"), [(50, 0), (51, 1)])
def test_a_function_has_fifty_lines_at_most(plant: Plant, tmp_path: Path, lines: int, told: int) -> None:
    plant("pipelines/a.py", "class A:\n    async def f(self) -> None:\n" + "        x = 1\n" * (lines - 1))
    assert len(sizes.findings(tmp_path)) == told


@pytest.mark.parametrize(("lines", "told"), [(400, 0), (401, 1)])
def test_a_module_has_four_hundred_lines_at_most(plant: Plant, tmp_path: Path, lines: int, told: int) -> None:
    plant("sandbox/a.py", "x = 1\n" * lines)
    assert len(sizes.findings(tmp_path)) == told

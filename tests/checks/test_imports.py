from __future__ import annotations

from pathlib import Path

import pytest

from checks import imports
from tests.checks.conftest import Plant

LATE = "def f() -> None:\n    import json  # noqa: {} - loaded when it is asked for\n"


@pytest.mark.parametrize("codes", ["PLC0415", "F401, PLC0415"])
def test_a_late_import_of_a_command_is_told(plant: Plant, tmp_path: Path, codes: str) -> None:
    plant("bot/cli/doctor/check.py", LATE.format(codes))
    (finding,) = imports.findings(tmp_path)
    assert (finding.path, finding.line) == ("bot/cli/doctor/check.py", 2)


@pytest.mark.parametrize(("path", "codes"), [("bot/cli/a.py", "F401"), ("bot/media/readers.py", "PLC0415")])
def test_other_exceptions_are_free(plant: Plant, tmp_path: Path, path: str, codes: str) -> None:
    plant(path, LATE.format(codes))
    assert imports.findings(tmp_path) == []

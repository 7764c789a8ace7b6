from __future__ import annotations

from pathlib import Path

from checks import names_of_tests
from tests.checks.conftest import Plant


def test_two_test_modules_of_one_name_are_told_and_helpers_are_free(plant: Plant, tmp_path: Path) -> None:
    for path in ("tests/a/test_files.py", "tests/b/test_files.py", "tests/a/conftest.py", "tests/b/conftest.py"):
        plant(path, "")
    assert [str(finding) for finding in names_of_tests.findings(tmp_path)] == [
        "tests/a/test_files.py:1: another test module has this name: tests/b/test_files.py",
        "tests/b/test_files.py:1: another test module has this name: tests/a/test_files.py",
    ]

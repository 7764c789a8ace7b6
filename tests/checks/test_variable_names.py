from __future__ import annotations

from pathlib import Path

from checks import variable_names
from tests.checks.conftest import Plant

_SOURCE = """
for one in messages: pass
names = [one.name for one in messages]
def pair(two): pass
n = 3
double = [n * 2 for n in numbers]
x, y = 1, 2
T = TypeVar("T")
"""


def test_a_placeholder_and_a_letter_are_told_and_coordinates_are_free(plant: Plant, tmp_path: Path) -> None:
    plant("bot/a.py", _SOURCE)
    found = [(finding.line, finding.text.split("'")[1]) for finding in variable_names.findings(tmp_path)]
    assert found == [(2, "one"), (3, "one"), (4, "two"), (5, "n")]

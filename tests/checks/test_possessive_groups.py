from __future__ import annotations

from pathlib import Path

from checks import possessive_groups
from tests.checks.conftest import Plant


def test_a_group_that_is_repeated_possessively_is_told_and_a_sign_is_free(plant: Plant, tmp_path: Path) -> None:
    plant("bot/a.py", 'import re\n_A = re.compile(r"(?:ab)*+c")\n_B = re.compile(r"[ab]*+c\\)*+d")\n')
    assert [str(finding) for finding in possessive_groups.findings(tmp_path)] == [
        "bot/a.py:2: a group is repeated possessively: (?:ab)*+c"
    ]

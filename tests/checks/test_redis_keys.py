from __future__ import annotations

from pathlib import Path

import pytest

from checks import redis_keys
from tests.checks.conftest import Plant

OWNER = 'def _outbox(c: str) -> str:\n    return key(c, "outbox")\n'


def keys(root: Path) -> list[tuple[str, str]]:
    return [(finding.path, finding.text.split()[2]) for finding in redis_keys.findings(root)]


@pytest.mark.parametrize(
    ("owner", "other", "name"),
    [
        (OWNER, 'x = key(home, "outbox")', "{c}:outbox"),
        ('x = key(c, "said", wamid)', 'y = key(one, "said", other)', "{c}:said:*"),
        ('x = "recado:aside"', 'y = "recado:aside"', "aside"),
        ('x = f"recado:spent:{day}"', 'y = f"recado:spent:{today}"', "spent:*"),
        ('x = f"recado:{{prompts}}:{now}"', 'y = f"recado:{{prompts}}:{then}"', "{prompts}:*"),
        ('x = key(c, "turn")', 'y = [key(c, part) for part in ("turn", "journal")]', "{c}:turn"),
        ('x = key(c, "turn")', 'PART = "turn"\ny = key(c, PART)', "{c}:turn"),
    ],
)
def test_a_key_that_two_modules_spell_is_told(plant: Plant, tmp_path: Path, owner: str, other: str, name: str) -> None:
    plant("bot/a.py", owner)
    plant("bot/b.py", other)
    assert keys(tmp_path) == [("bot/a.py", name), ("bot/b.py", name)]


@pytest.mark.parametrize(
    ("source", "other"),
    [
        ('x = key(c, "aside")', 'y = "recado:aside"'),
        ('x = key(c, "card", token)', 'OURS = "products"\ny = key(OURS, "card", product)'),
        ('x = f"recado:mail:{{{job}}}"', 'y = f"recado:mail:suppressed:{digest}"'),
        ('x = f"recado:{{prompts}}:{n}" ', 'y = [f"recado:{{prompts}}:{n}" for n in ("tally", "down")]'),
        ('x = f"{key(c)}:*"', "y = key(c)"),
        ('x = key(c, "outbox")\ny = key(d, "outbox")', ""),
    ],
)  # fmt: skip
def test_other_keys_of_the_same_word_are_free(plant: Plant, tmp_path: Path, source: str, other: str) -> None:
    plant("bot/a.py", source)
    plant("bot/b.py", other)
    assert keys(tmp_path) == []


def test_a_listed_read_is_free(plant: Plant, tmp_path: Path) -> None:
    plant("bot/a.py", OWNER)
    plant("bot/b.py", 'x = key(c, "outbox")')
    assert redis_keys.findings(tmp_path, {("bot/b.py", "{c}:outbox"): "moves it whole"}) == []


def test_a_listed_read_that_is_gone_is_told(plant: Plant, tmp_path: Path) -> None:
    plant("bot/b.py", "")
    (finding,) = redis_keys.findings(tmp_path, {("bot/b.py", "{c}:outbox"): "moves it whole"})
    assert finding.text.startswith("the read of {c}:outbox is listed")

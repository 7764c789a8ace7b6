from __future__ import annotations

from pathlib import Path

import pytest

from checks import prose
from tests.checks.conftest import Plant


@pytest.mark.parametrize("word", ["What", "Whoever", "That", "Who", "Where", "One", "All"])
@pytest.mark.parametrize(
    "source",
    [
        '"""{} things."""\n',
        'class Card:\n    """{} things."""\n',
        'async def go() -> None:\n    """\n    {} things."""\n',
    ],
)
def test_an_opening_that_hides_the_thing_is_told(plant: Plant, tmp_path: Path, source: str, word: str) -> None:
    plant("bot/a.py", source.format(word))
    (finding,) = prose.findings(tmp_path)
    assert finding.text.startswith(f"docstring begins with {word};")


def test_other_openings_and_tests_are_free(plant: Plant, tmp_path: Path) -> None:
    plant("bot/a.py", '"""Allowed: the words Onerous and Whatever."""\nx = """What"""\n')
    plant("tests/a.py", '"""What is tested."""\n')
    assert prose.findings(tmp_path) == []


@pytest.mark.parametrize("path", ["bot/a.py", "docs/a.md", "bot/web/page.js", ".env.example.md", "tests/a.py"])
@pytest.mark.parametrize("cited", ["reference 12", "reference 2.7", "reference 7.2, 7.3", "contract.md"])
def test_a_citation_that_no_reader_can_follow_is_told(plant: Plant, tmp_path: Path, path: str, cited: str) -> None:
    plant(path, f"# first line\n# 200 buttons ({cited})\n")
    (finding,) = prose.findings(tmp_path)
    assert (finding.path, finding.line) == (path, 2)

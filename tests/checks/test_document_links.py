from __future__ import annotations

from pathlib import Path

import pytest

from checks import document_links
from tests.checks.conftest import Plant


@pytest.mark.parametrize("text", ["See `bot/gone.py`.", "[here](gone.md)", "[`x`](../docs/gone.md#part)"])
def test_a_file_that_is_not_there_is_told(plant: Plant, tmp_path: Path, text: str) -> None:
    plant("docs/a.md", f"# A\n{text}\n")
    (finding,) = document_links.findings(tmp_path)
    assert (finding.path, finding.line) == ("docs/a.md", 2)
    assert "gone" in finding.text


def test_places_to_fill_in_addresses_and_code_are_free(plant: Plant, tmp_path: Path) -> None:
    plant("bot/a.py", "")
    plant("README.md", "`bot/<kind>.py` `bot/a.py` `bot/` [x](https://e.mx/a) [y](#part) `[links](…)` [z](bot/a.py#L1)")
    assert document_links.findings(tmp_path) == []

"""Operators' guide: names every field of a case, and shows existing pictures."""

from __future__ import annotations

import re

import pytest

from evals.cases import Case, CaseTurn, Expected
from tests.paths import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_guide_tells_every_field_and_every_picture_in_words(language: str) -> None:
    guide = (DOCS / f"operators.{language}.md").read_text("utf-8")
    fields = {*Case.model_fields, *CaseTurn.model_fields, *Expected.model_fields} - {"place"}
    assert [name for name in fields if f"`{name}`" not in guide] == []
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", guide)
    assert 5 <= len(pictures) <= 10
    for words, path in pictures:
        assert len(words) > 20
        assert (DOCS / path).stat().st_size < 80_000

"""The example of all settings, beside the code that reads them."""

from __future__ import annotations

import re
from typing import Any

from pydantic import SecretStr

from bot.settings import SECTIONS, variables
from tests.paths import ROOT

# A line with the meaning, and below it the variable with its default.
EXAMPLE = re.compile(r"^# (?P<words>.+)\n#(?P<name>[A-Z0-9_]+)=(?P<default>.*)$", re.MULTILINE)


def written(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | frozenset | list):
        return ",".join(map(written, value))
    return "" if value is None else str(value)


EXAMPLES = list(EXAMPLE.finditer((ROOT / ".env.example").read_text()))
FIELDS = {name: section.model_fields[field] for section in SECTIONS for name, field in variables(section).items()}


def test_the_example_names_every_variable_with_its_meaning_and_nothing_else() -> None:
    example = {example["name"]: example["words"].lower() for example in EXAMPLES}
    assert example == {name: (field.description or "").lower() for name, field in FIELDS.items()}


def test_the_example_shows_every_default() -> None:
    defaults = {name: written(field.get_default(call_default_factory=True)) for name, field in FIELDS.items()}
    assert {example["name"]: example["default"] for example in EXAMPLES} == defaults

"""Files of people who don't know YAML: words stay words, and numbers are ones where they are asked for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.infra.plain_yaml import read, typed
from bot.prompting.linter import CheckedFolder
from bot.whatsapp.templates.files import load
from evals.cases import read_cases
from tests.prompting.conftest import Folder, folder, where
from tests.rows import each

__all__ = ["folder", "where"]

WORDS = ["Tienda #1", "No", "12:30", "1e3", "007", "null", "@recado", "Hola: ¿qué tal?", "*hola*", "2026-12-25", "#1"]


@each("exact", [True, False])
@each(
    ("source", "found"),
    [
        ("a: no\nb: 007\nc: 1.5\nd: 'no'", {"a": "no", "b": "007", "c": "1.5", "d": "no"}),
        ("name: Tienda #1\nother: Tienda #1", {"name": "Tienda #1", "other": "Tienda"}),
        ("- text: a #1\n  tap: b # nota\n- text: '#2 # x'", [{"text": "a #1", "tap": "b"}, {"text": "#2 # x"}]),
        ("body: |\n  name: a: b\n  c #1\nname: x", {"body": "name: a: b\nc #1\n", "name": "x"}),
        ("{name: a, text: 'b #1'}", {"name": "a", "text": "b #1"}),
        ("name: &n Casa\ntext: *n", {"name": "Casa", "text": "*n"}),
        ("name:\u00a0Casa\u00a0Blanca", {"name": "Casa\u00a0Blanca"}),
        ("a:\nb: ~", {"a": None, "b": "~"}),
        ("", {}),
    ],
)
def test_words_stay_words(source: str, found: Any, exact: bool) -> None:  # noqa: FBT001 -- a column
    assert read(source, exact=exact)[1] == found


@each(
    ("source", "found"),
    [
        ("a: [1, -2, 1.5, 1.5e3, 0]", {"a": [1, -2, 1.5, 1500.0, 0]}),
        ("a: [yes, No, true, OFF]", {"a": [True, False, True, False]}),
        ("a: [null, ~, '']", {"a": [None, None, ""]}),
        ("a: ['1', \"yes\", 007, 12:30, 1e3, 0x1F, 1_000, sí]",
         {"a": ["1", "yes", "007", "12:30", "1e3", "0x1F", "1_000", "sí"]}),
    ],
)  # fmt: skip
def test_a_number_is_one_where_it_is_asked_for(source: str, found: Any) -> None:
    assert typed(read(source)[1]) == found


@each(
    ("source", "line"),
    [
        ("a: b: c", 1),
        ("name: x\nhours: @nueve", 2),
        ("name: x\n\tb: 1", 2),
        ("name: [a\ntext: *nadie*\nz: {", 3),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(source: str, line: int) -> None:
    with pytest.raises(yaml.YAMLError) as error:
        read(source)
    assert error.value.problem_mark.line + 1 >= line  # type: ignore[attr-defined]


def test_keys_that_are_no_words_do_no_harm() -> None:
    for source in ("{{ a }}: b", "? [a, b]\n: c", "? {a: b}\n: name"):
        with pytest.raises(yaml.YAMLError):
            read(source)


def test_many_values_that_are_no_yaml_are_given_up() -> None:
    with pytest.raises((yaml.YAMLError, ValueError)):
        read("\n".join(f"- name: @{number}" for number in range(200)))


@pytest.mark.parametrize("words", [words for words in WORDS if "*" not in words])
def test_a_templates_words_stay_as_they_are_written(tmp_path: Path, words: str) -> None:
    (tmp_path / "aviso.yaml").write_text(
        f"name: aviso\ncategory: UTILITY\nlanguages:\n  es_MX:\n    body: Hola\n    footer: {words}\n", encoding="utf-8"
    )
    (definition,) = load(tmp_path)
    assert definition.wording.footer == words


@pytest.mark.parametrize("words", WORDS)
def test_a_cases_words_stay_as_they_are_written(tmp_path: Path, words: str) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "casos.yaml").write_text(
        f"- name: uno\n  contact:\n    name: {words}\n  turns:\n    - text: {words}\n"
        "      expect: {contains: [199, No], messages: 1, refuses: no,"
        " calls: [{send: {count: 2, code: '007', by: chat}}]}\n",
        encoding="utf-8",
    )
    (case,) = read_cases(tmp_path)
    assert (case.contact.name, case.turns[0].text) == (words, words)
    expected = case.turns[0].expect
    assert (expected.contains, expected.messages, expected.refuses) == (("199", "No"), 1, False)
    assert expected.calls == ({"send": {"count": 2, "code": "007", "by": "chat"}},)


def _inputs(folder: Folder, inputs: str, body: str) -> CheckedFolder:
    return folder(assistant=f"---\ninputs:\n{inputs}---\n{body}")


@pytest.mark.parametrize(
    ("inputs", "body", "expected"),
    [
        ("  - {name: n, default: 007}\n", "{{ n }}", "007"),
        ("  - {name: n, default: no}\n", "{{ n }}", "no"),
        ("  - {name: n, kind: integer, default: 2}\n", "{{ n + 1 }}", "3"),
        ("  - {name: n, kind: boolean, default: no}\n", "{% if n %}sí{% else %}no{% endif %}", "no"),
        ("  n: 2\n", "{{ n + 1 }}", "3"),
        ("  n: 'x'\n", "{{ n }}", "x"),
    ],
)
def test_a_default_is_of_its_kind(folder: Folder, inputs: str, body: str, expected: str) -> None:
    assert _inputs(folder, inputs, body).release().render("assistant", {}).text == expected

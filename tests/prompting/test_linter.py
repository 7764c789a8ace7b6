"""Diagnostics of prompt files: file, line, column and a stable code; one row for each code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.prompting.diagnostics import CODES, Diagnostic
from bot.prompting.linter import PromptVocabulary, check, check_folder
from tests.paths import ROOT
from tests.processes import recado
from tests.prompting.conftest import RIGHT, VOCABULARY, Folder

CIRCLE = {
    "assistant": 'Hola\n{% include "_a.md" %}',
    "_a": '{% include "_b.md" %}',
    "_b": 'Dos\n  {% include "_a.md" %}',
}
# code, files, the file in which it is found, line, column
ROWS: list[tuple[str, dict[str, Any], str, int, int]] = [
    ("not-utf8", {"assistant": "Uno\ndos\nniño".encode("latin-1")}, "assistant", 3, 3),
    ("too-large", {"assistant": "a" * 70_000}, "assistant", 1, 1),
    ("empty-prompt", {"assistant": " \n"}, "assistant", 1, 1),
    ("unclosed-front-matter", {"assistant": "---\nname: a\nHola"}, "assistant", 1, 1),
    ("broken-yaml", {"assistant": "---\nname: a\nhours: [1,\n---\nHola"}, "assistant", 3, 11),
    ("broken-yaml", {"assistant": "---\nname: a\n\tb: 1\n---\nHola"}, "assistant", 3, 1),
    ("broken-yaml", {"assistant": "---\n- one\n---\nHola"}, "assistant", 2, 1),
    ("bad-field", {"assistant": "---\nmodel:\n  options: {temperature: 9}\n---\nHola"}, "assistant", 3, 13),
    ("bad-field", {"assistant": "---\ntools: all\n---\nHola"}, "assistant", 2, 1),
    ("bad-field", {"assistant": "---\ninputs:\n  - {name: a b, default: x}\n---\nHola"}, "assistant", 3, 5),
    ("bad-field", {"assistant": "---\ninputs:\n  - {name: n, kind: integer, default: x}\n---\n{{ n }}"},
     "assistant", 3, 5),
    ("unknown-field", {"assistant": "---\ntool: [business_hours]\n---\nHola"}, "assistant", 2, 1),
    ("bad-business", {"_business": "---\nname: a\nhours:\n  monday: 9-19\n---\nHola"}, "_business", 4, 3),
    ("model-syntax", {"assistant": "---\nmodel:\n  id: gpt 4\n---\nHola"}, "assistant", 3, 3),
    ("unknown-model", {"assistant": "---\nmodel: {id: openai/gpt-4o-mini, fallbacks: [a/b]}\n---\nHola"},
     "assistant", 2, 45),
    ("unknown-tool", {"assistant": "---\ntools: [business_hours, business_hour]\n---\nHola"}, "assistant", 2, 25),
    ("unknown-template", {"assistant": "---\nmetadata:\n  templates: [payment]\n---\nHola"}, "assistant", 3, 15),
    ("template-syntax", {"assistant": "Uno\n  {% endif %}\n"}, "assistant", 2, 3),
    ("template-syntax", {"assistant": "Uno\n{{ a b }}\n"}, "assistant", 2, 1),
    ("template-syntax", {"assistant": "Uno\n«Hola {{1}}, tu pedido {{2}}»"}, "assistant", 2, 7),
    ("template-syntax", {"assistant": "{{ now }} di {{ 'x' }}"}, "assistant", 1, 14),
    ("template-syntax", {"assistant": "Uno\n{{ 12.50 }}"}, "assistant", 2, 1),
    ("template-syntax", {"assistant": "{{ true }}"}, "assistant", 1, 1),
    ("template-syntax", {"assistant": "{{ [1, 2] }}"}, "assistant", 1, 1),
    ("template-syntax", {"assistant": "Suma {{ 1 + 1 }}"}, "assistant", 1, 6),
    ("template-syntax", {"assistant": "Uno\n{{\n1\n}}"}, "assistant", 3, 1),
    ("template-syntax", {"_a": "Parcial {{1}}", "assistant": '{% include "_a.md" %}'}, "_a", 1, 9),
    ("template-syntax", {"assistant": "{{ }}"}, "assistant", 1, 1),
    ("template-syntax", {"assistant": "{{{now}}}"}, "assistant", 1, 1),
    ("template-syntax", {"assistant": '{{"a": 1}}'}, "assistant", 1, 1),
    ("template-syntax", {"assistant": "Con 50{% descuento %}"}, "assistant", 1, 7),
    ("template-syntax", {"assistant": "{% %}"}, "assistant", 1, 1),
    ("template-syntax", {"assistant": "Paso {#1#} y {#2#}"}, "assistant", 1, 6),
    ("unclosed-block", {"assistant": "Uno\nPaso {#1} y más"}, "assistant", 2, 6),
    ("unclosed-block", {"assistant": "Uno\nDos {% if summary %}\nTres\n"}, "assistant", 2, 5),
    ("unclosed-block", {"assistant": "---\nname: a\n---\nUno\nEres {{ business.name\n"}, "assistant", 5, 6),
    ("not-allowed", {"assistant": "Uno\n {{ customer_name.split() }}"}, "assistant", 2, 2),
    ("not-allowed", {"assistant": "Uno\n{% set a = 1 %}"}, "assistant", 2, 1),
    ("unknown-filter", {"assistant": "Uno\nSon {{ now | fecha }}"}, "assistant", 2, 14),
    ("unknown-filter", {"assistant": "Uno\n{% if now is nice %}{% endif %}"}, "assistant", 2, 14),
    ("unknown-variable", {"assistant": "Uno\n{{ cliente }}"}, "assistant", 2, 4),
    ("unknown-variable", {"assistant": "---\na: 1\n---\nI know.\n{{ customer_nam }}"}, "assistant", 5, 4),
    ("unknown-variable", {"assistant": "{% if 0 %}\n{{ business.nombre }}{% endif %}"}, "assistant", 2, 4),
    ("unknown-variable", {"assistant": "Uno {{ now.hour }}"}, "assistant", 1, 8),
    ("unknown-variable", {"assistant": 'Uno\n{% include "_a.md" %}', "_a": "---\nx: 1\n---\nDos\n{{ nada }}"},
     "_a", 5, 4),
    ("missing-variable", {"assistant": "---\ninputs:\n  - name: house\n---\n{{ house }}"}, "assistant", 3, 5),
    ("unused-variable", {"assistant": "---\ninputs:\n  summary: x\n---\nHola"}, "assistant", 3, 3),
    ("unknown-include", {"assistant": 'Uno\n{% include "_nothing.md" %}'}, "assistant", 2, 13),
    ("unknown-include", {"assistant": 'Uno\n{% include "summary.md" %}'}, "assistant", 2, 13),
    ("unknown-include", {"assistant": '---\ninputs: {a: "${file:_x.md}"}\n---\n{{ a }}'}, "assistant", 2, 1),
    ("circular-include", CIRCLE, "_b", 2, 15),
    ("unknown-include", {"assistant": "Uno\n{% include 'assistant.md' %}"}, "assistant", 2, 13),
    ("unknown-include", {"assistant": "{% include 'summary.md' %}", "summary": "{% include 'assistant.md' %}"},
     "summary", 1, 13),
    ("part-in-block", {"assistant": "system:\n{% if summary %}\nuser:\nHola {{ summary }}{% endif %}"},
     "assistant", 3, 1),
    ("part-in-partial", {"_a": "Uno\nuser:\nDos"}, "_a", 2, 1),
    ("can-not-render", {"assistant": "Uno\n {{ summary + 1 }}"}, "assistant", 2, 2),
    ("can-not-render", {"assistant": "{% for a in summary %}\n{% for b in summary %}\n{% endfor %}{% endfor %}"},
     "assistant", 2, 1),
    ("unknown-name", {"assistant": "Uno\nUsa `talk_to_persons` si te lo piden"}, "assistant", 2, 6),
    ("secret-in-text", {"assistant": "Uno\nLa clave es sk_live_1234567890abcdef"}, "assistant", 2, 13),
    ("secret-in-text", {"assistant": "---\ndescription: EAAG1234567890abcdefgh\n---\nHola"}, "assistant", 2, 14),
    ("token-budget", {"assistant": "---\nmetadata:\n  max_tokens: 5\n---\nHola, esto es mucho más largo"},
     "assistant", 3, 3),
    ("whatsapp-format", {"assistant": "Uno\nEs **muy** bueno"}, "assistant", 2, 4),
    ("whatsapp-format", {"assistant": "Uno\nVe [aquí](https://a.mx)"}, "assistant", 2, 4),
    ("whatsapp-format", {"assistant": "Uno\n  | a | b |"}, "assistant", 2, 3),
    ("whatsapp-format", {"assistant": "Uno\nassistant:\n## Hola"}, "assistant", 3, 1),
    ("language-missing", {"assistant": '{% if language == "es" %}Hola{% endif %}'}, "assistant", 1, 7),
    ("language-missing", {"assistant": '{% if language == "english" %}Hi{% else %}Hola{% endif %}'}, "assistant", 1, 7),
    ("language-missing", {"assistant": "---\nmetadata:\n  languages: [es]\n---\nHola"}, "assistant", 3, 3),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "files", "file", "line", "column"), ROWS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_mistake_is_told_with_its_place(
    folder: Folder, where: Path, code: str, files: dict[str, Any], file: str, line: int, column: int
) -> None:
    checked = folder(**files)
    found = [diagnostic for diagnostic in checked.diagnostics if diagnostic.code == code]
    assert found, checked.diagnostics
    first = next((diagnostic for diagnostic in found if diagnostic.file == str(where / f"{file}.md")), found[0])
    assert (first.file, first.line, first.column) == (str(where / f"{file}.md"), line, column)
    assert str(first).startswith(f"{where}/{file}.md:{line}:{column} {code} ")
    assert "\n" not in str(first)
    assert first.message
    assert (checked.prompts is None) == any(diagnostic.is_error for diagnostic in checked.diagnostics)
    assert (CODES[code] == "error") == first.is_error


@pytest.mark.parametrize(("code", "files"), [row[:2] for row in ROWS], ids=lambda value: str(value)[:24])
def test_a_mistake_is_explained_in_both_languages(folder: Folder, code: str, files: dict[str, Any]) -> None:
    found = next(diagnostic for diagnostic in folder(**files).diagnostics if diagnostic.code == code)
    spanish, english = found.plain("es"), found.plain("en")
    assert spanish != english
    for line in (spanish, english):
        assert line.startswith(f"{found.file}:{found.line}:{found.column} {code} ")
        assert "\n" not in line
        for foreign in ("mapping values", "found character", "Input should", "expected token", "Error", "YAML"):
            assert foreign not in line
    words = found.as_json()["words"]
    assert spanish.endswith(f"{words['es']['title']}. {words['es']['hint']}")
    assert english.endswith(f"{words['en']['title']}. {words['en']['hint']}")


def test_the_words_in_question_and_the_ones_that_were_meant_are_named(folder: Folder) -> None:
    (diagnostics,) = folder(assistant="---\ntools: [business_hour]\n---\nHola").diagnostics
    assert diagnostics.plain("es").endswith(
        " unknown-tool Herramienta que no existe: business_hour. Revisa cómo se escribe la herramienta, o quítala. "
        "¿Quisiste decir «business_hours»?"
    )


async def test_the_command_line_speaks_the_operator_s_language(folder: Folder, where: Path) -> None:
    folder(assistant="---\nname: a\nhours: [1,\n---\nHola")
    broken = f"{where}/assistant.md:3:11 broken-yaml"
    for environment, said in (
        ({"LANG": "es_MX.UTF-8", "LC_ALL": ""}, "La cabecera está mal escrita. En cada línea"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": ""}, "The head is written wrong. Each line"),
        ({"LANG": "en_US.UTF-8", "DEFAULT_LANGUAGE": "es"}, "La cabecera está mal escrita. En cada línea"),
    ):
        ended = await recado("prompts", "check", PROMPTS_DIR=str(where), **environment)
        assert ended.code == 1
        assert ended.out.startswith(f"{broken} {said}")


OF_THE_GATE = {"case-failed", "case-stale", "no-cases", "not-evaluated"}


def test_every_code_has_its_row() -> None:
    elsewhere = {"no-files", "missing-file", "unreadable-file", *OF_THE_GATE}
    assert {row[0] for row in ROWS} == set(CODES) - elsewhere


def test_a_folder_without_prompts_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        (diagnostic,) = check_folder(folder, VOCABULARY).diagnostics
        assert (diagnostic.code, diagnostic.file, diagnostic.line) == ("no-files", str(folder), 1)
        assert "PROMPTS_DIR" in diagnostic.fix


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_a_file_that_the_service_needs_is_missed(folder: Folder, where: Path, name: str) -> None:
    folder()
    (where / f"{name}.md").unlink()
    diagnostics = check_folder(where, VOCABULARY).diagnostics
    assert [(diagnostic.code, name in diagnostic.message) for diagnostic in diagnostics] == [("missing-file", True)]


def test_a_file_that_can_not_be_read_is_told(folder: Folder, where: Path) -> None:
    folder()
    (where / "more.md").mkdir()
    assert [diagnostic.code for diagnostic in check_folder(where, VOCABULARY).diagnostics] == ["unreadable-file"]


def test_several_mistakes_are_told_at_once_in_their_order(folder: Folder) -> None:
    checked = folder(assistant="{{ uno }}\n{{ dos }}", summary="{% if %}")
    assert [(Path(diagnostic.file).name, diagnostic.line, diagnostic.code) for diagnostic in checked.diagnostics] == [
        ("assistant.md", 1, "unknown-variable"),
        ("assistant.md", 2, "unknown-variable"),
        ("summary.md", 1, "unclosed-block"),
    ]  # fmt: skip


def test_a_near_miss_is_answered_with_what_was_meant(folder: Folder) -> None:
    (diagnostic,) = folder(assistant="{{ customer_nam }}").diagnostics
    assert diagnostic.fix == "did you mean 'customer_name'?"


def test_a_secret_is_not_shown_by_what_finds_it(folder: Folder) -> None:
    (diagnostic,) = folder(assistant="sk_live_1234567890abcdef").diagnostics
    assert "1234" not in str(diagnostic)


@pytest.mark.parametrize(
    "text",
    [
        "# Título\nUno\n",
        "No uses `**negritas**` ni `[a](b)`.",
        "Da formato con *negritas* y _cursivas_.",
        '{{ "español" if language == "es" else "inglés" }}',
        '{% if language == "es" %}Hola{% elif language == "en" %}Hi{% endif %}',
        "{% for line in ['a', 'b'] %}{{ loop.index }}. {{ line }}{% if not loop.last %},{% endif %}{% endfor %}",
        "{{ customer_name | default('amigo', true) | title }}",
        "Usa `business_hours`, `talk_to_a_person` y `payment_reminder`.",
        "---\nname: a\ntemplate: {format: jinja2, parser: prompty}\nversion: 2\n---\nHola",
        "---\nmodel: openai/gpt-4o-mini\ntools: [{name: business_hours, kind: function}]\n---\nHola",
    ],
)
def test_what_is_right_finds_nothing(folder: Folder, text: str) -> None:
    assert folder(assistant=text).diagnostics == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{% raw %}Hola {{1}}, {#1} y {% x %}{% endraw %}", "Hola {{1}}, {#1} y {% x %}"),
        ("Hola {{ '{{' }}1{{ '}}' }}", "Hola {{1}}"),
        ("{# una nota para quien lo lee #}Hola", "Hola"),
        ("<!-- nota --> $199 ${x} }} { # no", "<!-- nota --> $199 ${x} }} { # no"),
        ("# Uno\n---\n# Dos", "# Uno\n---\n# Dos"),
        ("{% if true %}Sí{% endif %} {{ 'a' if now else 'b' }}", "Sí a"),
    ],
)
def test_text_that_looks_like_syntax_is_shown_as_written(folder: Folder, text: str, told: str) -> None:
    checked = folder(assistant=text)
    assert not checked.errors
    assert checked.release().render("assistant", {"now": "10:00"}).text == told


def test_every_place_in_a_line_is_told(folder: Folder) -> None:
    found = folder(assistant="Hola {{1}}, tu pedido {{2}}").errors
    assert [(diagnostic.line, diagnostic.column) for diagnostic in found] == [(1, 6), (1, 23)]


def test_a_release_of_an_earlier_version_goes_on() -> None:
    texts = {f"{name}.md": content for name, content in RIGHT.items()} | {"assistant.md": "Hola {{1}}"}
    assert check(texts, PromptVocabulary()).prompts is None
    assert check(texts, PromptVocabulary(), released=True).release().render("assistant", {}).text == "Hola 1"


def test_a_summary_knows_the_business_and_the_summary_before_it_alone(folder: Folder) -> None:
    assert folder(summary="Resume para {{ business.name }}.\n{{ summary }}").diagnostics == ()
    for name in ("now", "language", "customer_name"):
        (diagnostic,) = folder(summary=f"Resume.\n{{{{ {name} }}}}").diagnostics
        assert (diagnostic.code, diagnostic.line) == ("unknown-variable", 2)


def test_a_partial_may_ask_for_what_every_file_that_includes_it_has(folder: Folder) -> None:
    partial = "{{ line }} {{ now }} {{ rules }}"
    inputs = "---\ninputs: {rules: ninguna}\n---\n"
    loop = "{% for line in ['a'] %}{% include '_a.md' %}{% endfor %}"
    assert folder(_a=partial, assistant=f"{inputs}{loop}").diagnostics == ()
    (diagnostic,) = folder(
        summary="{% for line in ['a'] %}{% include '_a.md' %}{% endfor %}{{ summary }}",
        _a="{{ now }}",
        assistant="Hola",
    ).diagnostics
    assert (diagnostic.code, Path(diagnostic.file).name) == ("unknown-variable", "_a.md")
    assert "summary.md" in diagnostic.message


def test_the_prompts_that_come_with_recado_are_right() -> None:
    checked = check_folder(ROOT / "prompts", PromptVocabulary())
    assert checked.diagnostics == ()


def test_what_is_deeply_nested_is_refused_and_not_crashed_on() -> None:
    for text in (
        "(" * 5000,
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{% if 1 %}" * 200 + "{% endif %}" * 200,
        "{{ " + "not " * 4000 + "1 }}",
    ):
        texts = {f"{name}.md": content for name, content in RIGHT.items()} | {"assistant.md": text}
        assert all(isinstance(diagnostic, Diagnostic) for diagnostic in check(texts, VOCABULARY).diagnostics)


def test_yaml_that_would_grow_without_end_is_told_shortly(folder: Folder) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    checked = folder(_business=f"---\n{bomb}hours: {{monday: *i}}\nclosed: [*i]\n---\nHola")
    assert {diagnostic.code for diagnostic in checked.diagnostics} == {"broken-yaml"}
    assert all(len(str(diagnostic)) < 500 for diagnostic in checked.diagnostics)

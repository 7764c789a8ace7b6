"""Prompt files: what is refused, with file and line, so that no edit can break the service."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.prompting.files import PromptWrong
from bot.prompting.prompts import Prompts, load

VALUES: dict[str, Any] = {
    "business": {"name": "La Tienda"},
    "customer_name": "Ana",
    "language": "es",
    "now": "2026-11-24 10:00",
    "summary": "",
}
Folder = Callable[..., Prompts]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Load a folder with these files: names without `.md`, texts or bytes."""

    def make(**files: str | bytes) -> Prompts:
        where = tmp_path / "prompts"
        where.mkdir(exist_ok=True)
        for name, content in files.items():
            (where / f"{name}.md").write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(where)

    return make


def refusal(folder: Folder, **files: str | bytes) -> PromptWrong:
    with pytest.raises(PromptWrong) as caught:
        folder(**files)
    return caught.value


def test_a_prompt_is_rendered_with_its_values(folder: Folder) -> None:
    prompts = folder(assistant="---\nname: a\n---\nEres de {{ business.name }}. Son las {{ now }}.\n")
    rendered = prompts.render("assistant", VALUES)
    assert rendered.text == "Eres de La Tienda. Son las 2026-11-24 10:00."
    assert (rendered.name, rendered.version) == ("assistant", prompts.version)


def test_what_a_person_is_called_is_never_read_as_a_template(folder: Folder) -> None:
    prompts = folder(assistant="{{ customer_name }}")
    name = "{{ 7 * 7 }}{% include 'x' %}<b>"
    assert prompts.render("assistant", VALUES | {"customer_name": name}).text == name


def test_a_partial_is_included(folder: Folder) -> None:
    prompts = folder(assistant='Uno\n{% include "_facts.md" %}', _facts="---\na: 1\n---\nDos")
    assert prompts.render("assistant", VALUES).text == "Uno\nDos"


def test_the_version_changes_with_every_edit_and_with_nothing_else(folder: Folder) -> None:
    first = folder(assistant="Hola", _facts="Uno").version
    assert folder().version == first
    assert folder(_facts="Uno ").version != first
    assert folder(_facts="Uno").version == first


def test_a_mark_of_the_editor_and_windows_lines_do_no_harm(folder: Folder) -> None:
    prompts = folder(assistant=b"\xef\xbb\xbf---\r\nname: a\r\n---\r\nHola {{ customer_name }}\r\n")
    assert prompts.front("assistant") == {"name": "a"}
    assert prompts.render("assistant", VALUES).text == "Hola Ana"


def test_a_readme_is_no_prompt(folder: Folder) -> None:
    prompts = folder(assistant="Hola", README="{{ anything }} {% goes")
    with pytest.raises(PromptWrong):
        prompts.render("README", VALUES)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("---\nname: a\nHola", 1, "isn't closed"),
        ("---\nname: a\nhours: [1,\n---\nHola", 4, "front matter"),
        ("---\nname: a\n\tb: 1\n---\n", 3, "front matter"),
        ("---\n- one\n---\nHola", 2, "name: value"),
        ("---\nname: !!float a\n---\nHola", 2, "front matter"),
        ("---\nname: a\n---\nUno\n{{ business.name\n", 5, ""),
        ("Uno\n{% if summary %}\nDos\n", 3, "'if'"),
        ("Uno\nDos\n{% endif %}\n", 3, "endif"),
        ("El cliente dice:\n\n{{ cliente }}\n", 3, "unknown value 'cliente'"),
        ("---\na: 1\n---\nUno\nDos {{ customer_nam }}\n", 5, "customer_nam"),
        ("I know.\n{{ no }}\n", 2, "unknown value 'no'"),
        ("Uno\n{{ business.nombre }}\n", 2, "nombre"),
        ('Uno\n\n{% include "_nothing.md" %}\n', 3, "_nothing.md"),
        ("_x.md\n{% include summary %}\n", 2, "include"),
        ("Uno\n{{ summary + 1 }}\n", 2, "rendered"),
        ("Uno\n{{ 1 / 0 }}\n", 2, "rendered"),
        ("Uno\n{{ '{a}'.format() }}\n", 2, "rendered"),
        ("Uno\n{{ '{}'.format() }}\n", 2, "rendered"),
        ("Uno\n{{ '{0.a}'.format(now) }}\n", 2, "no attribute 'a'"),
        ("Uno\n{{ now | nofilter }}\n", 2, "nofilter"),
        ("Uno\n{{ now.__class__.__mro__ }}\n", 2, "rendered"),
        ("Uno\n{{ range(10 ** 9) | list }}\n", 2, "rendered"),
        ('Uno\n{% include "assistant.md" %}\n', 2, "rendered"),
        ("Uno\n{% macro again() %}{{ again() }}{% endmacro %}\n{{ again() }}\n", 2, "rendered"),
    ],
)
def test_a_mistake_is_told_with_its_line(folder: Folder, text: str, line: int, words: str) -> None:
    wrong = refusal(folder, assistant=text)
    assert (Path(wrong.file).name, wrong.line) == ("assistant.md", line)
    assert words in wrong.problem
    assert str(wrong).startswith(f"{wrong.file}:{line} ")
    assert "\n" not in str(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "{{ customer_name.split()[0] }}",
        "{% if not summary %}{{ 1 / 0 }}{% endif %}",
        '{% if language == "en" %}{{ now.nothing }}{% endif %}',
        "{{ summary.splitlines() | first | upper }}",
    ],
)
def test_a_mistake_that_only_a_stranger_would_meet_is_found_too(folder: Folder, text: str) -> None:
    assert refusal(folder, assistant=f"Uno\n{text}\n").line == 2


def test_a_mistake_in_a_partial_is_told_with_the_partials_line(folder: Folder) -> None:
    files = {"assistant": 'Uno\n{% include "_facts.md" %}', "_facts": "---\na: 1\n---\nDos\n{{ business.x }}"}
    wrong = refusal(folder, **files)
    assert (Path(wrong.file).name, wrong.line) == ("_facts.md", 5)


@pytest.mark.parametrize("name", ["now", "language", "customer_name"])
def test_a_summary_knows_the_business_and_the_summary_before_it_alone(folder: Folder, name: str) -> None:
    folder(summary="Resume para {{ business.name }}.\n{{ summary }}")
    wrong = refusal(folder, summary=f"Resume.\n{{{{ {name} }}}}")
    assert (Path(wrong.file).name, wrong.line) == ("summary.md", 2)
    assert name in wrong.problem


def test_a_file_that_is_not_utf8_is_told_with_its_line(folder: Folder) -> None:
    wrong = refusal(folder, assistant="Uno\ndos\nniño".encode("latin-1"))
    assert wrong.line == 3
    assert "UTF-8" in wrong.problem


def test_a_folder_without_prompts_is_told(tmp_path: Path) -> None:
    for where in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(PromptWrong) as caught:
            load(where)
        assert "PROMPTS_DIR" in caught.value.problem


def test_a_prompt_that_is_not_there_is_told(folder: Folder) -> None:
    prompts = folder(assistant="Hola")
    for ask in (prompts.front, prompts.path, lambda name: prompts.render(name, VALUES)):
        with pytest.raises(PromptWrong) as caught:
            ask("summary")
        assert "summary.md" in str(caught.value)


def test_the_prompts_that_come_with_recado_are_right() -> None:
    prompts = load(Path(__file__).parents[2] / "prompts")
    assistant = prompts.render("assistant", VALUES).text
    assert "La Tienda" in assistant
    assert "{{" not in assistant
    assert "La Tienda" in prompts.render("summary", {"business": VALUES["business"], "summary": ""}).text

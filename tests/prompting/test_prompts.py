"""Compiled prompts: parts, partials, values and defaults, models and tools, and the release's name."""

from __future__ import annotations

from typing import Any

import pytest

from bot.ai.chat import FromModel, FromPerson, Instructions
from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.prompts import Prompts
from tests.prompting.conftest import Folder

VALUES: dict[str, Any] = {
    "business": {"name": "La Tienda"},
    "customer_name": "Ana",
    "language": "es",
    "now": "2026-11-24 10:00",
    "summary": "",
}


def told(prompts: Prompts, **values: Any) -> str:
    return prompts.render("assistant", VALUES | values).text


def test_a_prompt_is_rendered_with_its_values(folder: Folder) -> None:
    prompts = folder(assistant="---\nname: a\n---\nEres de {{ business.name }}. Son las {{ now }}.\n").release()
    rendered = prompts.render("assistant", VALUES)
    assert rendered.text == "Eres de La Tienda. Son las 2026-11-24 10:00."
    assert (rendered.name, rendered.version) == ("assistant", prompts.release)


def test_a_file_without_front_matter_and_parts_is_what_the_system_says(folder: Folder) -> None:
    assert folder(assistant="Hola").release().render("assistant", VALUES).lines == (Instructions("Hola"),)


def test_parts_become_messages_in_their_order(folder: Folder) -> None:
    text = "Antes\n\nuser:\n¿Abren?\n\n# Assistant:\nSí, {{ customer_name }}.\n\nSystem:\nFin\ndeveloper:\nOtra\n"
    assert folder(assistant=text).release().render("assistant", VALUES).lines == (
        Instructions("Antes"), FromPerson("¿Abren?"), FromModel("Sí, Ana."), Instructions("Fin"), Instructions("Otra"),
    )  # fmt: skip


def test_a_part_that_says_nothing_now_is_left_out(folder: Folder) -> None:
    text = "system:\nHola\nuser:\n{% if summary %}{{ summary }}{% endif %}\n"
    assert folder(assistant=text).release().render("assistant", VALUES).lines == (Instructions("Hola"),)


def test_a_word_with_a_colon_in_a_sentence_is_no_part(folder: Folder) -> None:
    assert (
        len(folder(assistant="Hola\nuser: escribe aquí\nEl user:\n").release().render("assistant", VALUES).parts) == 1
    )


def test_a_partial_is_included_without_its_front_matter(folder: Folder) -> None:
    prompts = folder(assistant='Uno\n{% include "_facts.md" %}', _facts="---\na: 1\n---\nDos").release()
    assert told(prompts) == "Uno\nDos"


def test_an_input_has_its_default_where_nothing_is_known(folder: Folder) -> None:
    head = "---\ninputs:\n  - {name: customer_name, default: amigo}\n  - {name: rule, default: Sé breve}\n---\n"
    prompts = folder(assistant=f"{head}{{{{ customer_name }}}}: {{{{ rule }}}}").release()
    assert (told(prompts), told(prompts, customer_name="")) == ("Ana: Sé breve", "amigo: Sé breve")


def test_a_default_can_be_the_text_of_a_file_which_is_not_read_as_a_template(folder: Folder) -> None:
    head = '---\ninputs: {rules: "{file}"}\n---\n'.replace("{file}", "${file:_rules.md}")
    partial = "---\na: 1\n---\nuser:\n{{ now }}\n"
    prompts = folder(assistant=f"{head}{{{{ rules }}}}", _rules=partial).release()
    assert prompts.render("assistant", VALUES).lines == (Instructions("user:\n{{ now }}"),)


def test_models_options_and_tools_are_those_of_the_front_matter(folder: Folder) -> None:
    head = (
        "model: {id: a/b, fallbacks: [c/d], options: {temperature: 0.2, maxOutputTokens: 300}}\n"
        "tools: [business_hours, {name: talk_to_a_person, kind: function}]"
    )
    rendered = folder(assistant=f"---\n{head}\n---\nHola").release().render("assistant", VALUES)
    assert rendered.model.ids == ("a/b", "c/d")
    assert (rendered.model.options.temperature, rendered.model.options.max_tokens) == (0.2, 300)
    assert rendered.tools == frozenset(("business_hours", "talk_to_a_person"))


@pytest.mark.parametrize(("head", "tools"), [("tools: []", frozenset()), ("name: a", None)])
def test_no_tools_and_nothing_said_of_tools_are_two_things(folder: Folder, head: str, tools: Any) -> None:
    assert folder(assistant=f"---\n{head}\n---\nHola").release().render("assistant", VALUES).tools == tools


def test_the_name_changes_with_every_edit_and_with_nothing_else(folder: Folder) -> None:
    first = folder(_facts="Uno").release().release
    assert folder().release().release == first
    assert folder(_facts="Uno ").release().release != first
    assert folder(_facts="Uno").release().release == first
    assert len(first) == 12


def test_a_mark_of_the_editor_and_windows_lines_do_no_harm(folder: Folder) -> None:
    plain = folder(assistant="---\nname: a\n---\nHola {{ customer_name }}\n").release()
    windows = folder(assistant=b"\xef\xbb\xbf---\r\nname: a\r\n---\r\nHola {{ customer_name }}\r\n").release()
    assert told(windows) == "Hola Ana"
    assert windows.release == plain.release


def test_a_readme_is_no_prompt(folder: Folder) -> None:
    prompts = folder(README="{{ anything }} {% goes").release()
    assert "README" not in prompts
    with pytest.raises(PromptsWrong, match="README"):
        prompts.render("README", VALUES)


def test_what_a_value_breaks_is_told_with_its_place_and_not_with_the_value(folder: Folder) -> None:
    prompts = folder(assistant="Uno\n{{ summary + '!' }}").release()
    with pytest.raises(PromptsWrong) as caught:
        prompts.render("assistant", VALUES | {"summary": 7})
    assert caught.value.places == "assistant.md:2:1 can-not-render"

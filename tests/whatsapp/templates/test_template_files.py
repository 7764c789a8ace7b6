"""Template files: the company's own are right, and every mistake is told with its file and line."""

from pathlib import Path

import pytest

from bot.whatsapp.templates.files import TemplatesWrong, definitions, load
from tests.paths import ROOT

OURS = ROOT / "templates"
GOOD = """name: ready
category: UTILITY
languages:
  es_MX:
    header: "Pedido {{order}}"
    body: Hola {{name}}, tu pedido {{order}} ya salió de la tienda.
    footer: Gracias
    buttons:
      - type: quick_reply
        text: Gracias
    examples:
      name: Ana
      order: 17
"""


def complaints(folder: Path, text: str | bytes, name: str = "ready.yaml") -> list[str]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(TemplatesWrong) as caught:
        load(folder)
    return [line.removeprefix(f"{path}:") for line in caught.value.lines]


def test_the_three_promised_templates_are_there_in_both_languages_with_their_parameters() -> None:
    found = {(entry.name, entry.language): set(entry.variables) for entry in load(OURS)}
    expected = {
        "order_confirmation": {"name", "order", "total"},
        "payment_reminder": {"name", "amount", "date"},
        "shipping_update": {"name", "order", "status"},
    }
    assert found == {(name, language): them for name, them in expected.items() for language in ("es_MX", "en_US")}


def test_all_components_are_there_with_examples() -> None:
    for entry in load(OURS):
        assert entry.category == "UTILITY"
        assert entry.wording.header
        assert entry.wording.footer
        assert entry.wording.buttons
        assert set(entry.wording.examples) == set(entry.variables)


def test_numbers_and_dates_keep_their_spelling(tmp_path: Path) -> None:
    (tmp_path / "ready.yaml").write_text(GOOD.replace("order: 17", "order: 2026-02-30").replace("Ana", "007"))
    (entry,) = load(tmp_path)
    assert entry.wording.examples == {"name": "007", "order": "2026-02-30"}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("name: ready", "name: other", "1 name: expected 'ready'"),
        ("category: UTILITY", "category: NEWS", "2 category: Input should be 'UTILITY' or 'MARKETING'"),
        ("  es_MX:", "  spanish:", "4 languages.spanish: 'spanish' is no language"),
        ("Pedido {{order}}", "Pedido {{order", "5 languages.es_MX.header: has braces"),
        ("Hola {{name}}, tu", "¡{{name}}! Tu", "6 languages.es_MX.body: may not begin or end"),
        ("footer: Gracias", "footer: {{name}}", "7 "),
        ("    footer: Gracias", "    feet: Gracias", "7 languages.es_MX.feet: Extra inputs are not permitted"),
        ("type: quick_reply", "type: slow_reply", "9 languages.es_MX.buttons.0.type: Input should be"),
        ("text: Gracias", "text: Muchas, muchísimas gracias", "10 languages.es_MX.buttons.0.text: expected 1 to 25"),
        ("      name: Ana\n", "", "11 languages.es_MX.examples: has no example for {{name}}"),
        ("      order: 17", "      order: [1", "14 "),
        ("languages:", "tongues:", "1 languages: Field required"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    lines = complaints(tmp_path, GOOD.replace(old, new))
    assert any(line.startswith(complaint) for line in lines), lines


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "expected lines"), (b"- a\n", "expected lines"), (b"name: \xff", "UTF-8"), (b"a: [", "1 ")],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes, complaint: str) -> None:
    (line,) = complaints(tmp_path, content)
    assert line.startswith("1 ")
    assert complaint in line


def test_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    lines = complaints(tmp_path, GOOD.replace("UTILITY", "NEWS"))
    assert len(lines) == 2


def test_a_wrong_file_does_not_stop_the_service(tmp_path: Path) -> None:
    (tmp_path / "ready.yaml").write_text("nonsense")
    assert definitions(tmp_path) == ()
    assert definitions(tmp_path / "nowhere") == ()
    with pytest.raises(TemplatesWrong):
        load(tmp_path / "nowhere")

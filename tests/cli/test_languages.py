"""The command line in the operator's language: help, headings, questions, results and errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from bot.cli import words
from bot.cli.doctor import words as doctor_words
from bot.cli.knowledge_words import KNOWLEDGE
from bot.cli.language import spoken_language
from bot.cli.lazy_command import LazyCommand
from bot.cli.main import cli
from bot.cli.prompts import words as prompts_words
from bot.cli.spanish import error_in_spanish, paragraphs_of
from bot.cli.spanish_help import PARAGRAPHS
from bot.settings.complaints import PROBLEMS
from evals import problems
from evals.report_words import REPORT
from sandbox.meta.simulator import Person
from tests.outgoing import acquainted
from tests.processes import recado
from tests.rows import each
from tests.world import Start

SPANISH = {"LANG": "es_MX.UTF-8"}


def helps(command: Any) -> Iterator[str]:
    """All help texts of a command, of its options, and of the commands below it."""
    yield command.help or ""
    if isinstance(command, LazyCommand):
        command = command.load()
        yield command.help or ""
    for option in command.params:
        yield getattr(option, "help", "") or ""
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


def test_every_help_text_has_its_spanish_and_no_spanish_is_left_over() -> None:
    english = {paragraph for text in helps(cli) for paragraph in paragraphs_of(text) if paragraph}
    assert english - PARAGRAPHS.keys() == set()
    assert PARAGRAPHS.keys() - english == {"Show this message and exit."}


@each(
    ("name", "texts"),
    [
        (f"{module}: {name}", texts)
        for module, catalogue in (
            ("words", words.WORDS),
            ("doctor", doctor_words.WORDS),
            ("knowledge", KNOWLEDGE),
            ("prompts", prompts_words.WORDS),
            ("report", REPORT),
            ("settings", PROBLEMS),
            ("cases", problems.PROBLEMS),
        )
        for name, texts in catalogue.items()
    ],
)
def test_every_sentence_has_both_languages_with_the_same_values(name: str, texts: dict[str, str]) -> None:
    values = [sorted({field for _, field, _, _ in Formatter().parse(text) if field}) for text in texts.values()]
    assert set(texts) == {"es", "en"}, name
    assert values[0] == values[1], name
    assert all(texts.values()), name


@each(
    ("variables", "file", "language"),
    [
        ({"LANG": "es_MX.UTF-8"}, "", "es"),
        ({"LANG": "en_GB.UTF-8"}, "", "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "es_ES"}, "", "es"),
        ({"LANG": "en_GB.UTF-8", "DEFAULT_LANGUAGE": "es"}, "", "es"),
        ({"LANG": "es_MX.UTF-8"}, "DEFAULT_LANGUAGE=en\n", "en"),
        ({"LANG": "C.UTF-8"}, "", "es"),
    ],
)
def test_the_setting_decides_and_else_the_terminal(
    variables: dict[str, str], file: str, language: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("language")
    if file:
        (folder / ".env").write_text(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("DEFAULT_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        assert spoken_language() == language


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("--help",), 0, "Uso: recado [OPCIONES] COMANDO"),
        (("contacts", "erase", "-h"), 0, "Borra todo lo guardado sobre una persona"),
        (("catalogue", "import", "nowhere.csv"), 1, "nowhere.csv: no existe"),
        (("keys", "vapid"), 0, "# VAPID_SUBJECT=mailto: y un correo que te llegue"),
        (("contacts", "nope"), 2, "No hay un comando 'nope'"),
        (("contacts", "export"), 2, "Falta el argumento 'ID'"),
        (("queues", "retry"), 2, "se espera un id, o --all"),
        (("contacts", "list", "--format", "xml"), 2, "se espera text o json"),
        (("knowledge", "search", "x", "--limit", "0"), 2, "tiene que ser 1 o más"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
async def test_help_and_wrong_use_are_told_in_spanish(command: tuple[str, ...], code: int, told: str) -> None:
    ended = await recado(*command, **SPANISH)
    text = re.sub(r"[│╭╰─\s]+", " ", ended.out + ended.err)
    assert (ended.code, told in text) == (code, True), text
    assert not re.search(r"\b(Usage|Options|Missing|Try|Show)\b", text)


async def test_people_and_queues_are_told_in_spanish(
    start: Start, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await start()
    monkeypatch.setenv("LANG", "es_MX.UTF-8")
    assert "Nada falló" in (await recado("queues")).out
    assert (await recado("contacts", "list")).err == "todavía no ha escrito nadie\n"
    assert (await recado("contacts", "erase", ana.bsuid)).err.startswith("no se sabe nada de este ID")
    await acquainted(world, ana)
    assert (await recado("contacts", "list")).out.split()[0] == "conversación"
    refused = await recado("contacts", "erase", ana.bsuid)
    assert (refused.code, "se borraría: Ana" in refused.err, "di --yes" in refused.err) == (2, True, True)
    assert (await recado("contacts", "erase", ana.bsuid, "--yes")).out.startswith("borrado: ")
    assert (await recado("operators", "disable", "x@example.com")).err.startswith("nadie tiene este correo")


async def test_what_scripts_read_is_the_same_in_both(tmp_path: Path) -> None:
    assert tmp_path
    for command in (("operators", "list"), ("knowledge", "list"), ("doctor", "--tools")):
        both = [
            (await recado(*command, "--format", "json", LANG=locale)).out for locale in ("es_MX.UTF-8", "en_US.UTF-8")
        ]
        assert both[0] == both[1]


async def test_documents_and_the_doctor_are_told_in_spanish(tmp_path: Path) -> None:
    (tmp_path / "lost.xyz").write_text("?")
    (tmp_path / "questions.md").write_text("## ¿Abren?\n")
    checked = await recado("knowledge", "check", KNOWLEDGE_DIR=str(tmp_path), **SPANISH)
    assert "lost.xyz: un formato que no se lee; hay " in checked.out
    assert "questions.md: línea 1: una pregunta sin respuesta" in checked.out
    assert (checked.code, checked.err) == (1, "0 documentos, 0 pasajes\n")
    missing = await recado("knowledge", "sync", KNOWLEDGE_DIR=str(tmp_path / "no"), **SPANISH)
    assert missing.err.endswith("no existe esa carpeta; mira KNOWLEDGE_DIR\n")
    found = await recado("doctor", REDIS_URL="redis://127.0.0.1:9", **SPANISH)
    assert "Redis        no contesta o no se puede escribir" in found.out
    assert "pon OPENROUTER_API_KEY" in found.out
    assert not re.search(r"\b(see|set|answers|the)\b", found.out)


@pytest.mark.parametrize(
    ("command", "wrong", "told"),
    [
        (("queues",), {"REDIS_PORT": "x"}, "REDIS_PORT: no es un número entero; se espera un puerto de 1 a 65535"),
        (("doctor",), {"LOG_LEVEL": "loud"}, "LOG_LEVEL: no es ninguna de sus opciones; se espera debug"),
        (("templates", "list"), {}, "WHATSAPP_ACCESS_TOKEN: falta; se espera el token de un usuario del sistema"),
        (("serve",), {"LOG_FORMAT": "console"}, "WHATSAPP_ACCESS_TOKEN: falta; se espera el token de un usuario"),
        (("worker", "--queues", "x"), {"LOG_FORMAT": "console"}, "--queues: no hay x; se espera algunas de llm"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
async def test_wrong_variables_are_told_in_spanish(command: tuple[str, ...], wrong: dict[str, str], told: str) -> None:
    ended = await recado(*command, **SPANISH, **wrong)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert not re.search(r"\b(is|should|expected)\b", ended.err)


async def test_programs_that_read_the_log_get_it_in_english() -> None:
    ended = await recado("serve", **SPANISH)
    assert '"why": "WHATSAPP_ACCESS_TOKEN: is not set; expected a token' in ended.err


def test_a_message_of_typer_that_is_not_known_stays_as_it_is() -> None:
    assert error_in_spanish("Something new.") == "Something new."

"""`recado prompts check`: mistakes in the folder."""

from __future__ import annotations

import typer

from bot.agent.vocabulary import vocabulary
from bot.cli.prompts.session import show_diagnostics
from bot.cli.terminal import Format, check_format, complain, read_settings, terminal_language
from bot.messages.language import Language
from bot.prompting.linter import check_folder

_RIGHT: dict[Language, str] = {
    "es": "{count} archivos están bien",
    "en": "{count} files are right",
}


def check(output: Format = "text") -> None:
    """Look for mistakes in PROMPTS_DIR, one line each: file:line:column code message. Exit 1 when there is an error."""
    check_format(output)
    settings = read_settings()
    checked = check_folder(settings.service.prompts_dir, vocabulary(settings))
    language = terminal_language(settings)
    show_diagnostics(checked.diagnostics, output, language)
    if checked.prompts is not None:
        complain(_RIGHT[language].format(count=len(checked.texts)))
    raise typer.Exit(0 if checked.prompts else 1)

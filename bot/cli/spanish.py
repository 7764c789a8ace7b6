"""Typer in Spanish: help, headings and usage errors of all commands."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from bot.cli.spanish_help import PARAGRAPHS

# Because contexts of commands inherit these names, every command has -h.
HELP_OPTIONS = ["-h", "--help"]
_HEADINGS = {
    "ARGUMENTS_PANEL_TITLE": "Argumentos",
    "OPTIONS_PANEL_TITLE": "Opciones",
    "COMMANDS_PANEL_TITLE": "Comandos",
    "ERRORS_PANEL_TITLE": "Error",
    "ABORTED_TEXT": "Interrumpido.",
    "DEFAULT_STRING": "[por omisión: {}]",
    "REQUIRED_LONG_STRING": "[obligatorio]",
    "RICH_HELP": "Ayuda: [blue]'{command_path} {help_option}'[/]",
}

# Usage errors of Typer, in the order in which they are looked for.
_ERRORS = (
    (r"Missing argument (.+)\.", r"Falta el argumento \1."),
    (r"Missing option (.+)\.", r"Falta la opción \1."),
    (r"Missing command\.", "Falta el comando."),
    (r"No such command (.+?)\.", r"No hay un comando \1."),
    (r"No such option: (.+)", r"No hay una opción \1"),
    (r"Got unexpected extra argument(?:\(s\)|s)? \((.+)\)", r"Sobra: \1"),
    (r"Option (.+) requires an argument\.", r"La opción \1 necesita un valor."),
    (r"Option (.+) does not take a value\.", r"La opción \1 no lleva un valor."),
    (r"Invalid value for (.+?): ", r"El valor de \1 no sirve: "),
    (r"Invalid value: ", "Ese valor no sirve: "),
    (r"(.+) is not a valid (?:int|integer)\.", r"\1 no es un número entero."),
    (r"(.+) is not in the range (.+)\.", r"\1 no está en el rango \2."),
    (r"Input should be less than or equal to (.+)", r"tiene que ser \1 o menos"),
    (r"Input should be greater than or equal to (.+)", r"tiene que ser \1 o más"),
    (r"Input should be a valid integer.*", "tiene que ser un número entero"),
    (r"Did you mean (.+)\?", r"¿Quisiste decir \1?"),
    (r"\(Possible options: (.+)\)", r"(Hay: \1)"),
)


_Formatter: Any = typer.Context.formatter_class


class _SpanishFormatter(_Formatter):  # type: ignore[misc] # typer gives its class no public name
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        # The usage begins each help and each error, and only these load rich.
        shown = import_module("typer.rich_utils")
        for name, words in _HEADINGS.items():
            setattr(shown, name, words)
        super().write_usage(prog, args, prefix or "Uso: ")


class _SpanishContext(typer.Context):
    formatter_class = _SpanishFormatter


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of a help text, without its line breaks."""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def in_spanish(text: str) -> str:
    """The text in Spanish, as far as its paragraphs are known."""
    return "\n\n".join(PARAGRAPHS.get(paragraph, paragraph) for paragraph in paragraphs_of(text))


def error_in_spanish(message: str) -> str:
    """A usage error of Typer in Spanish, or as it is."""
    for english, spanish in _ERRORS:
        message = re.sub(english, spanish, message)
    return message


def speak_spanish(command: Any) -> None:
    """Make the help of a command, and of those below it, Spanish."""
    command.context_class = _SpanishContext
    command.options_metavar = "[OPCIONES]"
    for attribute in ("help", "short_help"):
        if text := getattr(command, attribute, None):
            setattr(command, attribute, in_spanish(text))
    for option in command.get_params(_SpanishContext(command, help_option_names=HELP_OPTIONS)):
        if text := getattr(option, "help", None):
            option.help = in_spanish(text)
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = "COMANDO [ARGUMENTOS]..."
        for below in command.commands.values():
            speak_spanish(below)

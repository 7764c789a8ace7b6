"""Settings, output, questions and exit codes, as all commands treat them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal, NoReturn

import typer

from bot.cli.language import language_of_terminal, spoken_language
from bot.cli.words import say
from bot.infra import logs
from bot.messages.language import Language
from bot.settings import Settings, SettingsWrong

Format = Annotated[str, typer.Option("--format", help="text or json")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask; without a terminal it is needed.")]

_WRONG_USE = 2
# Signs that command a terminal, in names and texts of others: all but blanks, ends of lines and our own colours.
_COMMANDS = re.compile(r"(?!\x1b\[(?:0|3\d)m|\r\n)[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def check_format(output: str) -> None:
    if output not in ("text", "json"):
        raise typer.BadParameter(say("expected", choices=say("text or json")), param_hint="--format")


def read_settings(log_level: Literal["warning", "critical"] = "warning") -> Settings:
    """Read the settings; exit 2 with one line a mistake where they are wrong.

    Because standard output holds the command's answer, the log is kept to problems, on standard error.
    """
    logs.configure(log_level, "console")
    try:
        return Settings()
    except SettingsWrong as error:
        stop_for_settings(error)


def show(answer: Any) -> None:
    """Print a text, or anything else as JSON; no sign of it commands the terminal."""
    if isinstance(answer, str):
        words = _COMMANDS.sub("\ufffd", answer)
    else:
        words = _escaped(json.dumps(answer, ensure_ascii=False, indent=2))
    print(words)  # noqa: T201


async def show_pieces(pieces: AsyncGenerator[str, None]) -> None:
    """Print a JSON text that comes in pieces; no sign of it commands the terminal."""
    async with aclosing(pieces):
        async for piece in pieces:
            print(_escaped(piece), end="")  # noqa: T201
    print()  # noqa: T201


def _escaped(text: str) -> str:
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def terminal_language(settings: Settings) -> Language:
    """The language of sentences for people: DEFAULT_LANGUAGE where it is set, else the terminal's."""
    default = settings.service.default_language
    if "default_language" in settings.service.model_fields_set:
        return default
    return language_of_terminal(default)


def coloured(text: str, colour: str) -> str:
    """The text in a colour where standard output is a terminal that shows colours."""
    return typer.style(text, fg=colour) if logs.shows_colours(sys.stdout) else text


def confirm_deletion(what: str, yes: bool) -> None:  # noqa: FBT001 - an option of the command line
    """Say what would be deleted, and ask; exit 1 when the answer is no, 2 where nobody can be asked."""
    if yes:
        return
    complain(say("would be deleted", found=what))
    if not sys.stdin.isatty():
        stop(say("not asked"), _WRONG_USE)
    try:
        sure = _confirmed(say("delete"))
    except typer.Abort:
        sure = False
    if not sure:
        stop(say("not deleted"))


def _confirmed(question: str) -> bool:
    """Ask on standard error, which is no part of the answer; `s` and `sí` are Spanish for yes."""
    said = str(typer.prompt(f"{question} [{say('yes')[0]}/N]", default="", show_default=False, err=True))
    return said.strip().casefold() in ("y", "yes", "s", "si", "sí")


def complain(problem: str) -> None:
    """Write a line to standard error; no sign of it commands the terminal."""
    sys.stderr.write(_COMMANDS.sub("\ufffd", problem) + "\n")


def stop(problem: str, code: int = 1) -> NoReturn:
    """Write a line to standard error, and exit."""
    complain(problem)
    raise typer.Exit(code)


def stop_for_settings(wrong: SettingsWrong) -> NoReturn:
    """Write a line for each wrong variable, and exit."""
    stop("\n".join(wrong.said(spoken_language())), _WRONG_USE)


def redis_problem(error: Exception) -> str:
    return say("redis away", error=type(error).__name__)


def database_problem(error: Exception) -> str:
    return say("database away", error=type(getattr(error, "orig", None) or error).__name__)

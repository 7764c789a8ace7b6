"""Settings, output and exit codes, as all commands treat them."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, Literal, NoReturn

import typer

from bot.infra import logs
from bot.settings import Settings, SettingsWrong

Format = Annotated[str, typer.Option("--format", help="text or json")]


def check_format(output: str) -> None:
    if output not in ("text", "json"):
        raise typer.BadParameter("expected text or json", param_hint="--format")


def read_settings(log_level: Literal["warning", "critical"] = "warning") -> Settings:
    """Read the settings; exit 2 with one line a mistake where they are wrong.

    Because standard output holds the command's answer, the log is kept to problems, on standard error.
    """
    logs.configure(log_level, "console")
    try:
        return Settings()
    except SettingsWrong as error:
        stop(str(error), 2)


def show(answer: Any) -> None:
    """Print a text, or anything else as JSON."""
    print(answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, indent=2))  # noqa: T201


def complain(problem: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"{problem}\n")


def stop(problem: str, code: int = 1) -> NoReturn:
    """Write a line to standard error, and exit."""
    complain(problem)
    raise typer.Exit(code)


def redis_problem(error: Exception) -> str:
    return f"Redis does not answer ({type(error).__name__}); see REDIS_URL"

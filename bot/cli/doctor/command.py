"""`recado doctor`: a line for each integration."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.agent.tools.catalog import listed
from bot.cli.doctor import examine, report
from bot.cli.process import log_format
from bot.cli.terminal import Format, check_format, show, stop_for_settings
from bot.infra import logs
from bot.people import roles
from bot.settings import Settings, SettingsWrong


def doctor(
    output: Format = "text",
    tools: Annotated[bool, typer.Option("--tools", help="Show which role may use which tool instead.")] = False,  # noqa: FBT002 - typer's way
    console: Annotated[bool, typer.Option("--console", help="Show which role of the console may do what.")] = False,  # noqa: FBT002 - as above
) -> None:
    """Look at every integration: configured? reachable? authorised? With the fix, one line each."""
    check_format(output)
    if tools:
        show(listed(output))
        return
    if console:
        show(roles.listed(output))
        return
    try:
        settings = Settings()
    except SettingsWrong as error:
        stop_for_settings(error)
    logs.configure("error", log_format(settings.log))
    results = asyncio.run(examine(settings))
    show(report(results, output))
    raise typer.Exit(1 if any(result.wrong for result in results) else 0)

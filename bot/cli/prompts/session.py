"""Common frame of the commands that work on releases: settings, Redis, the library, and the exit code."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.agent.preview import NotThere
from bot.agent.vocabulary import library_of
from bot.cli.eval_process import evaluate_cases
from bot.cli.terminal import check_format, complain, read_settings, redis_problem, show, terminal_language
from bot.cli.words import say, system_reason
from bot.infra.redis import connect
from bot.messages.language import Language
from bot.prompting.diagnostics import Diagnostic, PromptsWrong
from bot.prompting.library import Library
from bot.prompting.releases import UnknownRelease
from bot.settings import Settings

Author = Annotated[str | None, typer.Option(help="Who does it; left out, this machine's user.")]
Note = Annotated[str, typer.Option(help="Why, in a few words.")]

Work = Callable[[Settings, Redis, Library], Awaitable[bool]]


def run(work: Work, output: str) -> None:
    """Exit 0 when the work was done, 1 when a problem was found, 2 when the settings or the options are wrong."""
    check_format(output)
    raise typer.Exit(0 if asyncio.run(_succeeds(read_settings(), work)) else 1)


async def _succeeds(settings: Settings, work: Work) -> bool:
    try:
        async with connect(settings.redis) as redis:
            return await work(settings, redis, library_of(redis, settings, evaluate_cases))
    except PromptsWrong as error:
        for diagnostic in error.diagnostics:
            complain(diagnostic.plain(terminal_language(settings)))
    except (UnknownRelease, NotThere) as error:
        complain(error.said[terminal_language(settings)])
    except RedisError as error:
        complain(redis_problem(error))
    except OSError as error:
        complain(say("not read", error=system_reason(error)))
    return False


def show_diagnostics(diagnostics: Sequence[Diagnostic], output: str, language: Language) -> None:
    if output == "json":
        show([diagnostic.as_json() for diagnostic in diagnostics])
    for diagnostic in diagnostics if output == "text" else ():
        show(diagnostic.plain(language))


def user() -> str:
    """Name of this machine's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "operator"

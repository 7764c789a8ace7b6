"""`recado prompts eval`: what the prompts are worth."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot.infra import logs
from bot.settings import Settings, SettingsWrong

if TYPE_CHECKING:
    from bot.prompting.prompts import Prompts
    from evals.cases import Case
    from evals.runner import Report

Format = Annotated[str, typer.Option("--format", help="text or json")]


def evaluate(  # noqa: PLR0913, PLR0917 - the command's options
    names: Annotated[list[str] | None, typer.Argument(metavar="[CASE]…", help="Cases or tags; left out, all.")] = None,
    tier: Annotated[str, typer.Option(help="offline (recorded answers) or live (a real model).")] = "offline",
    runs: Annotated[int, typer.Option(help="Live: how often each case is run.", min=1, max=100)] = 3,
    against: Annotated[str | None, typer.Option(metavar="RELEASE", help="Live: the same with this release.")] = None,
    record: Annotated[bool, typer.Option("--record", help="Make the recordings anew first.")] = False,  # noqa: FBT002 - typer's way
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for stale recordings too.")] = False,  # noqa: FBT002 - as above
    output: Format = "text",
) -> None:
    """Perform the cases of PROMPTS_DIR/evals with the prompts of the folder. Exit 1 when one fails.

    No tool reaches anybody: all that acts is an imitation. --record asks the real model where OPENROUTER_API_KEY is
    set; else the cases' examples and the sandbox's stand-in answer, and the recordings say so.
    """
    if output not in ("text", "json"):
        raise typer.BadParameter("expected text or json", param_hint="--format")
    if tier not in ("offline", "live"):
        raise typer.BadParameter("expected offline or live", param_hint="--tier")
    if against and tier != "live":
        raise typer.BadParameter("two releases are compared with --tier live", param_hint="--against")
    logs.configure("critical", "console")
    settings = _settings()
    if tier == "live" and settings.llm.api_key is None:
        _stop("OPENROUTER_API_KEY is not set; a live evaluation asks a real model")
    prompts, cases = _read(settings, names or [])
    report, before = asyncio.run(_evaluate(prompts, cases, tier, runs, against, record=record))
    from evals.report import as_json, as_text  # noqa: PLC0415 - each command loads only what it runs

    _print(as_json(report, before) if output == "json" else as_text(report, before, is_live=tier == "live"))
    raise typer.Exit(1 if report.count("failed") or (strict and report.count("stale")) else 0)


async def _evaluate(  # noqa: PLR0913 - as above
    prompts: Prompts, cases: list[Case], tier: str, runs: int, against: str | None, *, record: bool
) -> tuple[Report, Report | None]:
    from bot.ai.chat import NoModelAnswered  # noqa: PLC0415 - as above
    from evals import runner  # noqa: PLC0415 - as above
    from sandbox.redis_server import NoRedis  # noqa: PLC0415 - as above

    folder = Settings().service.prompts_dir
    # Each world changes its settings.
    try:
        if record:
            await runner.record(Settings(), prompts, folder, cases)
        if tier == "offline":
            return await runner.offline(Settings(), prompts, folder, cases), None
        old = await _release(against) if against else None
        before = await runner.live(Settings(), old, cases, runs) if old else None
        return await runner.live(Settings(), prompts, cases, runs), before
    except (NoModelAnswered, NoRedis) as error:
        _stop(str(error), 1)


def _read(settings: Settings, names: list[str]) -> tuple[Prompts, list[Case]]:
    from bot.agent.vocabulary import vocabulary  # noqa: PLC0415 - as above
    from bot.prompting.linter import check_folder  # noqa: PLC0415 - as above
    from evals.cases import CasesWrong, read_cases  # noqa: PLC0415 - as above

    checked = check_folder(settings.service.prompts_dir, vocabulary(settings))
    if checked.prompts is None:
        _stop("\n".join(map(str, checked.errors)), 1)
    try:
        cases = read_cases(settings.service.prompts_dir)
    except CasesWrong as error:
        _stop(str(error), 1)
    known = {name for case in cases for name in (case.name, *case.tags)}
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"there is no case or tag {', '.join(unknown)}")
    chosen = [case for case in cases if not names or {case.name, *case.tags} & set(names)]
    return checked.prompts, chosen


async def _release(asked: str) -> Prompts:
    from redis.exceptions import RedisError  # noqa: PLC0415 - as above

    from bot.agent.vocabulary import library_of  # noqa: PLC0415 - as above
    from bot.infra.redis import connect  # noqa: PLC0415 - as above
    from bot.prompting.releases import UnknownRelease  # noqa: PLC0415 - as above

    settings = Settings()
    try:
        async with connect(settings.redis) as redis:
            library = library_of(redis, settings)
            found = await library.at(await library.releases.find(asked))
    except UnknownRelease as error:
        _stop(str(error), 1)
    except (RedisError, OSError) as error:
        _stop(f"Redis does not answer ({type(error).__name__}); see REDIS_URL", 1)
    if found is None:
        _stop(f"release {asked} can't be used by this version of Recado", 1)
    return found


def _settings() -> Settings:
    try:
        return Settings()
    except SettingsWrong as error:
        _stop(str(error))


def _stop(why: str, code: int = 2) -> NoReturn:
    sys.stderr.write(f"{why}\n")
    raise typer.Exit(code)


def _print(what: Any) -> None:
    print(what if isinstance(what, str) else json.dumps(what, ensure_ascii=False, indent=2))  # noqa: T201

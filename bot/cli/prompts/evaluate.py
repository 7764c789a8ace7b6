"""`recado prompts eval`: cases with the prompts of the folder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.agent.vocabulary import library_of, vocabulary
from bot.ai.chat import NoModelAnswered
from bot.cli.language import spoken_language
from bot.cli.progress import progress
from bot.cli.prompts.words import say
from bot.cli.terminal import (
    Format,
    check_format,
    complain,
    database_problem,
    read_settings,
    redis_problem,
    show,
    stop,
    terminal_language,
)
from bot.database.opening import SchemaOutdated
from bot.infra.redis import connect
from bot.prompting.knowledge_lock import FILE, digest_in, synced
from bot.prompting.linter import check_folder
from bot.prompting.prompts import Prompts
from bot.prompting.releases import UnknownRelease
from bot.settings import Settings
from evals import runner
from evals.answer_cases import answer_cases
from evals.case_documents import SetMissing, SyncedDocuments, synced_documents
from evals.cases import Case, CasesWrong, read_cases
from evals.recordings import NotRecorded
from evals.report import as_json, as_text
from evals.runner import CaseUnrecorded, Report
from sandbox.redis_server import NoRedis


@dataclass(frozen=True, slots=True)
class _Options:
    live: bool
    runs: int
    against: str | None
    record: bool
    every: bool
    output: str
    synced: SyncedDocuments | None


def evaluate(  # noqa: PLR0913, PLR0917 - the command's options
    names: Annotated[list[str] | None, typer.Argument(metavar="CASE", help="Cases or tags; left out, all.")] = None,
    tier: Annotated[str, typer.Option(help="offline (recorded answers) or live (a real model).")] = "offline",
    runs: Annotated[int, typer.Option(help="Live: how often each case is run.", min=1, max=100)] = 3,
    against: Annotated[str | None, typer.Option(metavar="RELEASE", help="Live: the same with this release.")] = None,
    record: Annotated[bool, typer.Option("--record", help="First record what isn't proven, or CASE.")] = False,  # noqa: FBT002 - typer's way
    every: Annotated[bool, typer.Option("--all", help="With --record: the proven cases too.")] = False,  # noqa: FBT002 - as above
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for stale recordings too.")] = False,  # noqa: FBT002 - as above
    knowledge: Annotated[
        str | None, typer.Option(metavar="SET", help="Documents; left out, those that the next release names.")
    ] = None,
    output: Format = "text",
) -> None:
    """Perform the cases of PROMPTS_DIR/evals with the prompts of the folder. Exit 1 when one fails.

    No tool reaches anybody: all that acts is an imitation. --record asks the real model where OPENROUTER_API_KEY is
    set; else the cases' examples and the sandbox's stand-in answer, and the recordings say so. A recorded case stays
    proven until its message, a line of the prompt that concerns it, a tool that it uses or a tool's result changes.
    Answers that were accepted in the console are cases too. Where nothing is synced, KNOWLEDGE_DIR is read.
    """
    check_format(output)
    if tier not in ("offline", "live"):
        raise typer.BadParameter(say("offline or live"), param_hint="--tier")
    if against and tier != "live":
        raise typer.BadParameter(say("against is live"), param_hint="--against")
    if every and (names or not record):
        raise typer.BadParameter(say("all is for record"), param_hint="--all")
    settings = read_settings("critical")
    if tier == "live" and settings.llm.api_key is None:
        stop(say("no key"), 2)
    documents = asyncio.run(_synced(settings, knowledge))
    prompts, cases = _read(settings, names or [], documents)
    options = _Options(tier == "live", runs, against, record, every or bool(names), output, documents)
    report, before = asyncio.run(_evaluate(prompts, cases, options))
    show(
        as_json(report, before)
        if output == "json"
        else as_text(report, before, is_live=options.live, language=spoken_language())
    )
    raise typer.Exit(1 if report.count("failed") or (strict and report.count("stale")) else 0)


async def _evaluate(prompts: Prompts, cases: list[Case], options: _Options) -> tuple[Report, Report | None]:
    """Report of the folder, and of the release that it is compared with."""
    folder = Settings().service.prompts_dir
    # Because each environment changes its settings, every run reads its own.
    try:
        if options.record:
            await _record(prompts, folder, cases, options)
        if not options.live:
            with progress(say("playing"), len(cases), options.output) as done:
                return await runner.offline(Settings(), prompts, folder, cases, done, synced=options.synced), None
        old = await _release(options.against) if options.against else None
        before = await _live(old, cases, options) if old else None
        return await _live(prompts, cases, options), before
    except CaseUnrecorded as error:
        stop(say("not recorded case", name=error.case, why=error.why.said(spoken_language())))
    except (NoModelAnswered, NoRedis) as error:
        stop(str(error))
    except NotRecorded as error:
        stop(say("not recorded", error=error))


async def _live(prompts: Prompts, cases: list[Case], options: _Options) -> Report:
    with progress(say("asking", release=prompts.release), len(cases), options.output) as done:
        return await runner.live(Settings(), prompts, cases, options.runs, done, synced=options.synced)


async def _record(prompts: Prompts, folder: Path, cases: list[Case], options: _Options) -> None:
    chosen = cases
    if not options.every:
        report = await runner.offline(Settings(), prompts, folder, cases, synced=options.synced)
        names = runner.unproven(Settings(), folder, report)
        chosen = [case for case in cases if case.name in names]
    if options.output == "text":
        complain(say("recording", chosen=len(chosen), all=len(cases)))
    with progress(say("recording bar"), len(chosen), options.output) as done:
        await runner.record(Settings(), prompts, folder, chosen, done, synced=options.synced)


async def _synced(settings: Settings, asked: str | None) -> SyncedDocuments | None:
    """Documents of the set that the next release names; None where nothing is synced, or nobody can tell."""
    is_asked_for = asked is not None
    try:
        if asked is None:
            async with connect(settings.redis) as redis:
                asked = digest_in({FILE: await synced(redis) or ""})
            return await synced_documents(settings, asked) if asked else None
        return await synced_documents(settings, asked)
    except (SetMissing, SchemaOutdated, SQLAlchemyError, RedisError, OSError) as error:
        if not is_asked_for:
            return None
        stop(say("set missing", set=asked) if isinstance(error, SetMissing) else database_problem(error))


def _read(settings: Settings, names: list[str], documents: SyncedDocuments | None) -> tuple[Prompts, list[Case]]:
    checked = check_folder(settings.service.prompts_dir, vocabulary(settings))
    if checked.prompts is None:
        stop("\n".join(map(str, checked.errors)))
    try:
        cases = [*read_cases(settings.service.prompts_dir), *answer_cases(documents.documents if documents else ())]
    except CasesWrong as error:
        stop("\n".join(error.said(spoken_language())))
    known = {name for case in cases for name in (case.name, *case.tags)}
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(say("no such case", names=", ".join(unknown)))
    chosen = [case for case in cases if not names or {case.name, *case.tags} & set(names)]
    return checked.prompts, chosen


async def _release(asked: str) -> Prompts:
    settings = Settings()
    try:
        async with connect(settings.redis) as redis:
            library = library_of(redis, settings)
            found = await library.at(await library.releases.find(asked))
    except UnknownRelease as error:
        stop(error.said[terminal_language(settings)])
    except (RedisError, OSError) as error:
        stop(redis_problem(error))
    if found is None:
        stop(say("other version", release=asked))
    return found

"""`recado knowledge …`: the company's own documents, checked, brought into the database, listed and searched."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import typer
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.ai.vision import VisionFailed
from bot.cli.knowledge_words import say_of_documents, told
from bot.cli.language import spoken_language
from bot.cli.progress import progress
from bot.cli.terminal import Format, check_format, complain, read_settings, redis_problem, show, stop
from bot.cli.words import say
from bot.database.engine import Database, open_database
from bot.database.opening import SchemaOutdated, open_current
from bot.infra.redis import connect
from bot.knowledge.answers import accepted_answers
from bot.knowledge.capacity import MOST_IN_MEMORY, capacity_words
from bot.knowledge.document import Audience, FileFinding, KnowledgeDocument
from bot.knowledge.embeddings import EmbeddingsFailed, embedder_of
from bot.knowledge.finding_words import finding_in
from bot.knowledge.folder import FolderMissing, FolderReader, list_folder
from bot.knowledge.knowledge import KnowledgeUnavailable, knowledge_of
from bot.knowledge.passage_table import PassageTable
from bot.knowledge.scans import scanned_pages
from bot.knowledge.search import BEST, SearchQuery
from bot.knowledge.search_result import PassageHit, with_falling_scores
from bot.knowledge.store import KnowledgeStore
from bot.knowledge.sync import KnowledgeSync, SyncProgress, SyncReport
from bot.prompting.knowledge_lock import lock_text, note_synced
from bot.settings import Settings

app = typer.Typer(
    name="knowledge",
    help="The company's own documents: check, sync, list, search.",
    no_args_is_help=True,
    add_completion=False,
)
Result = TypeVar("Result")


@app.command()
def check(output: Format = "text") -> None:
    """Read every file of KNOWLEDGE_DIR, and name those that can't be used, with page or row and reason.

    Nothing is stored. Exit 1 when a file has to be left out.
    """
    check_format(output)
    settings = read_settings()
    documents, findings = asyncio.run(_stopped_by_problems(_checked(settings, output)))
    passages = sum(len(document.passages) for document in documents)
    why_not = asyncio.run(_why_not_in_database(settings)) if passages > MOST_IN_MEMORY else None
    if words := capacity_words(passages, why_not):
        findings.append(FileFinding(".", words, is_error=False))
    _show_findings(findings, output)
    complain(say_of_documents("counted", documents=len(documents), passages=passages))
    raise typer.Exit(1 if any(finding.is_error for finding in findings) else 0)


@app.command()
def sync(output: Format = "text") -> None:
    """Bring KNOWLEDGE_DIR into the database: only what is new or has changed is read. The next release names it.

    Bad files are named and left out. Exit 1 when nothing could be used.
    """
    check_format(output)
    settings = read_settings()
    report = asyncio.run(_stopped_by_problems(_synced(settings, output)))
    words = say_of_documents("synced", documents=len(report.documents), new=report.read, set=report.digest)
    found = {
        "set": report.digest,
        "documents": sorted(report.documents),
        "new": report.read,
        "findings": [finding.as_json() for finding in report.findings],
    }
    if output == "text":
        _show_findings(report.findings, output)
    show(found if output == "json" else words)
    raise typer.Exit(0 if report.documents else 1)


@app.command("list")
def list_(output: Format = "text") -> None:
    """Documents of the newest set: for whom they are, how long they hold, and how many passages they have."""
    check_format(output)
    documents = asyncio.run(_stopped_by_problems(_listed(read_settings())))
    if output == "json":
        show([_as_json(document) for document in documents])
        return
    if not documents:
        complain(say_of_documents("none"))
        return
    columns = (say_of_documents(f"{name} column") for name in ("document", "language", "for", "passages", "valid"))
    show("{:<40} {:<8} {:<9} {:>8}  {}".format(*columns))
    for document in documents:
        valid = (
            f"{document.valid_from or ''}…{document.valid_until or ''}"
            if document.valid_from or document.valid_until
            else ""
        )
        language = document.language or "–"
        audience = say_of_documents(document.audience)
        show(f"{document.name:<40} {language:<8} {audience:<9} {len(document.passages):>8}  {valid}".rstrip())


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="As a customer would ask it")],
    *,
    staff: Annotated[bool, typer.Option("--staff", help="Search as a member of staff.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Passages at most.")] = BEST,
    output: Format = "text",
) -> None:
    """Search the newest set as the assistant would: passages with source, place and score, the best first.

    The assistant says that it doesn't know where no score reaches the threshold.
    """
    check_format(output)
    if not question.strip():
        raise typer.BadParameter(say("no question"), param_hint="QUESTION")
    settings = read_settings()
    audience: Audience = "staff" if staff else "customer"
    asked = SearchQuery(question, audience, datetime.now(settings.service.zone).date())
    hits, is_enough = asyncio.run(_stopped_by_problems(_searched(settings, asked, limit)))
    hits = with_falling_scores(hits)
    if output == "json":
        show([_hit_as_json(hit) for hit in hits])
        return
    for hit in hits:
        show(f"{hit.score:.2f}  {_place(hit)}\n{_indented(_below_heading(hit))}\n")
    if not is_enough:
        complain(say_of_documents("not enough"))


async def _checked(settings: Settings, output: str) -> tuple[list[KnowledgeDocument], list[FileFinding]]:
    listed = await asyncio.to_thread(list_folder, settings.knowledge.dir)
    findings = [*listed.findings]
    documents: list[KnowledgeDocument] = []
    async with AsyncExitStack() as stack:
        reader = FolderReader(settings.service.default_language, await stack.enter_async_context(scanned_pages()))
        stack.push_async_callback(reader.close)
        with progress(say_of_documents("reading"), len(listed.files), output) as step:
            for source in listed.files:
                document, wrong = await reader.read(source)
                findings += wrong
                documents += [document] if document else []
                step()
    return documents, findings


async def _why_not_in_database(settings: Settings) -> str | None:
    """The reason for which the database can't hold a large set's passages; None where it can."""
    database = open_database(settings.database.url.get_secret_value())
    try:
        return await PassageTable(database).why_not()
    except (SQLAlchemyError, OSError):
        return "the database of the documents does not answer"
    finally:
        await database.close()


async def _synced(settings: Settings, output: str) -> SyncReport:
    async with AsyncExitStack() as stack:
        database = await _database(settings, stack)
        embedder = embedder_of(settings.embeddings)
        stack.push_async_callback(embedder.close)
        total = len((await asyncio.to_thread(list_folder, settings.knowledge.dir)).files)
        with progress(say_of_documents("reading"), total, output) as step:
            scans = await stack.enter_async_context(scanned_pages())
            work = KnowledgeSync(KnowledgeStore(database), embedder, settings.service.default_language, scans)
            answers = await accepted_answers(database)
            report = await work.run(settings.knowledge.dir, answers, SyncProgress(done=step))
        try:
            async with connect(settings.redis) as redis:
                await note_synced(redis, lock_text(report.digest, report.documents) if report.documents else "")
        except (RedisError, OSError) as error:
            complain(say_of_documents("not noted", problem=redis_problem(error)))
    return report


async def _listed(settings: Settings) -> list[KnowledgeDocument]:
    async with AsyncExitStack() as stack:
        store = KnowledgeStore(await _database(settings, stack))
        newest = await store.newest_set()
        return await store.documents(newest.documents.values()) if newest else []


async def _searched(settings: Settings, asked: SearchQuery, limit: int) -> tuple[Sequence[PassageHit], bool]:
    async with AsyncExitStack() as stack:
        database = await _database(settings, stack)
        newest = await KnowledgeStore(database).newest_set()
        if newest is None:
            stop(say_of_documents("not synced"))

        async def opened() -> Database:
            return database

        knowledge = knowledge_of(opened, settings.embeddings)
        stack.push_async_callback(knowledge.close)
        found = await knowledge.search(newest.digest, asked, limit)
        return found.hits, found.is_enough


async def _database(settings: Settings, stack: AsyncExitStack) -> Database:
    database = await open_current(settings.database.url.get_secret_value())
    stack.push_async_callback(database.close)
    return database


async def _stopped_by_problems(work: Awaitable[Result]) -> Result:
    """End the command with one line where the folder, the database or the endpoint isn't there."""
    try:
        return await work
    except SchemaOutdated as error:
        stop(say("outdated", missing=error.missing))
    except (FolderMissing, EmbeddingsFailed, KnowledgeUnavailable, VisionFailed) as error:
        stop(told(str(error)))
    except (SQLAlchemyError, OSError) as error:
        stop(say_of_documents("not used", error=type(error).__name__))


def _show_findings(findings: Sequence[FileFinding], output: str) -> None:
    if output == "json":
        show([finding.as_json() for finding in findings])
    for finding in findings if output == "text" else ():
        show(str(finding_in(spoken_language(), finding)))


def _place(hit: PassageHit) -> str:
    return f"{hit.document.name}, {told(hit.passage.location)}" if hit.passage.location else hit.document.name


def _below_heading(hit: PassageHit) -> str:
    """The passage without the line of its heading, which its place names already."""
    heading, _, rest = hit.passage.text.partition("\n")
    return rest if rest and heading in (hit.passage.location or "") else hit.passage.text


def _indented(text: str) -> str:
    return "\n".join(f"      {line}" for line in text.split("\n"))


def _hit_as_json(hit: PassageHit) -> dict[str, Any]:
    return {
        "text": hit.passage.text,
        "source": hit.document.name,
        "location": hit.passage.location,
        "score": round(hit.score, 4),
    }


def _as_json(document: KnowledgeDocument) -> dict[str, Any]:
    return {
        "source": document.name,
        "title": document.title,
        "language": document.language,
        "audience": document.audience,
        "valid_from": _day(document.valid_from),
        "valid_until": _day(document.valid_until),
        "pages": document.pages,
        "passages": len(document.passages),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None

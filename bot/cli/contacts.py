"""`recado contacts …`: who is known; export or erase the stored data of one person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot import privacy
from bot.cli.contact_list import ListedContact, as_lines, known_contacts, matching
from bot.cli.contact_pages import FolderTaken, PersonExport, write_folder
from bot.cli.terminal import (
    Format,
    Yes,
    check_format,
    complain,
    confirm_deletion,
    read_settings,
    redis_problem,
    show,
    show_pieces,
    stop,
    stop_for_settings,
)
from bot.cli.words import say, system_reason
from bot.database.version import SchemaOutdated
from bot.infra.redis import RedisIsCluster, connect
from bot.messages.language import Language
from bot.privacy import Person
from bot.services import Services, open_services
from bot.settings import Settings, SettingsWrong
from bot.storage.files import FilesLost
from bot.storage.storage import StorageFailed

app = typer.Typer(
    name="contacts",
    help="What is stored about people: list, find, export, erase.",
    no_args_is_help=True,
    add_completion=False,
)

Whose = Annotated[
    str, typer.Argument(metavar="ID", help="A phone with its country's digits, a BSUID, or a conversation (c_…).")
]
Lost = Annotated[bool, typer.Option("--files-lost", help="Erase the rest although the files are gone for good.")]
Limit = Annotated[int, typer.Option(help="At most so many, the last writer first; 0: all.", min=0)]

_Work = Callable[[Services, Person], Awaitable[None]]


@app.command("list")
def list_(limit: Limit = 50, output: Format = "text") -> None:
    """People that are known, the last writer first. It shows names and phones to whoever runs it."""
    _list(None, limit, output)


@app.command()
def find(
    text: Annotated[str, typer.Argument(help="A part of a name, a phone, an e-mail address, a BSUID or c_….")],
    limit: Limit = 50,
    output: Format = "text",
) -> None:
    """People by a part of their name, phone, e-mail address or identifier. Exit 1 when there is none."""
    _list(text, limit, output)


@app.command()
def export(
    whose: Whose,
    files: Annotated[Path | None, typer.Option(help="Write the person's files to this folder too.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Write a page to read, the files and the JSON to this new folder instead.")
    ] = None,
) -> None:
    """Everything stored about one person, as JSON. Exit 1 when nothing is known of them, or files are missing.

    For the person themselves: --folder, with index.html in their language.
    """

    async def run(services: Services, person: Person) -> None:
        about = await services.personal_data.about(person)
        if files is not None:
            for file in about["files"]:
                await asyncio.to_thread(_write, files / file["key"], await services.files.read(file["key"]))
        pieces = services.personal_data.export_text(person, about, ascii_only=False)
        if folder is not None:
            await write_folder(folder, await _person_export(services, person, about), pieces, services.files.read)
            show(str(folder / "index.html"))
        else:
            await show_pieces(pieces)
        if missing := await services.personal_data.missing(person):
            raise FilesLost(missing)

    _run(whose, run)


@app.command()
def erase(
    whose: Whose,
    files_lost: Lost = False,  # noqa: FBT002 - an option of the command line
    yes: Yes = False,  # noqa: FBT002 - as above
) -> None:
    """Erase everything stored about one person. Exit 1 when nothing is known of them, or files are missing.

    Kept are digests that name nobody: of their messages for 30 days, because Meta may deliver them again; and of their
    phone and BSUID for good if they wanted no marketing. It shows what would go, and asks.
    """

    async def run(services: Services, person: Person) -> None:
        if not yes:
            about, rows = await services.personal_data.about(person), await services.personal_data.count_rows(person)
            confirm_deletion(_in_words(person, about, rows), yes)
        erased = await services.personal_data.erase(person, files_lost=files_lost)
        words = say("erased", keys=erased.keys, files=erased.files, jobs=erased.jobs, rows=erased.rows)
        show(words + (say("no marketing kept") if erased.opted_out else ""))

    _run(whose, run)


def _list(text: str | None, limit: int, output: str) -> None:
    check_format(output)
    try:
        contacts = asyncio.run(_known(read_settings()))
    except RedisError as error:
        stop(redis_problem(error))
    found = contacts if text is None else matching(contacts, text)
    shown = found[:limit] if limit else found
    if output == "json":
        show([contact.as_json() for contact in shown])
    elif shown:
        show("\n".join(as_lines(shown)))
    if len(found) > len(shown):
        complain(say("some shown", shown=len(shown), all=len(found)))
    if not found:
        stop(say("nobody yet" if text is None else "nobody found"), 0 if text is None else 1)


async def _known(settings: Settings) -> list[ListedContact]:
    async with connect(settings.redis) as redis:
        return await known_contacts(redis)


async def _person_export(services: Services, person: Person, about: dict[str, Any]) -> PersonExport:
    home = person.conversations[0]
    contact = await services.contacts.get(home)
    default = services.settings.service.default_language
    language: Language = "en" if contact.language == "en" else "es" if contact.language == "es" else default
    kept = await services.files.of(home, person.conversations[1:])
    return PersonExport(about, tuple(kept), language, services.settings.service.zone)


def _in_words(person: Person, about: dict[str, Any], rows: int) -> str:
    """The size of the stored data of a person, in a line."""
    name = about["conversations"][person.conversations[0]].get("contact", {}).get("name")
    # In one line, because a name of several would pass for sentences of ours.
    whom = ", ".join([*([" ".join(name.split())] if name else []), *about["identities"], *person.conversations])
    keys = sum(len(kept) for kept in about["conversations"].values())
    return say("stored", whom=whom, keys=keys, files=len(about["files"]), jobs=len(about["jobs"]), rows=rows)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _run(whose: str, work: _Work) -> None:
    """Exit 0 when the work was done, 1 when nobody was found or it failed, 2 when the settings are wrong."""
    settings = read_settings()
    try:
        problem = asyncio.run(_problem(settings, whose, work))
    except SettingsWrong as error:
        stop_for_settings(error)
    if problem:
        stop(problem)


async def _problem(settings: Settings, whose: str, work: _Work) -> str | None:
    """Do the work; gives the reason where it can't be done."""
    try:
        async with open_services(settings) as services:
            person = await privacy.find(services.redis, whose)
            person = person or await privacy.find_in_history(services.personal_history, whose)
            if person is None:
                return say("unknown")
            await work(services, person)
    except tuple(_PROBLEMS) as error:
        return next(told(error) for kind, told in _PROBLEMS.items() if isinstance(error, kind))
    return None


# In the order in which they are looked for, because some are kinds of others.
_PROBLEMS: dict[type[Exception], Callable[[Any], str]] = {
    privacy.ConversationBusy: lambda _: say("busy"),
    FolderTaken: lambda error: say("folder taken", folder=error.folder),
    FilesLost: lambda error: say("files missing", count=len(error.places), places=error.some),
    StorageFailed: lambda error: say("storage failed", error=error),
    RedisIsCluster: lambda _: say("cluster"),
    RedisError: redis_problem,
    SchemaOutdated: lambda error: say("outdated", missing=error.missing),
    SQLAlchemyError: lambda error: say("database away again", error=type(error).__name__),
    ConnectionError: lambda error: say("database away again", error=type(error).__name__),
    OSError: lambda error: say("not written", error=system_reason(error)),
}

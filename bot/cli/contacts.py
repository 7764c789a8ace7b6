"""`recado contacts …`: export or erase the stored data of one person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from redis.exceptions import RedisError

from bot import privacy
from bot.cli.terminal import read_settings, redis_problem, show, stop
from bot.infra.redis import RedisIsCluster
from bot.privacy import Person, PersonalData
from bot.services import open_services
from bot.settings import Settings, SettingsWrong
from bot.storage.files import Files, FilesLost
from bot.storage.storage import StorageFailed

app = typer.Typer(
    name="contacts", help="What is stored about one person: export, erase.", no_args_is_help=True, add_completion=False
)

Whose = Annotated[str, typer.Argument(metavar="ID", help="A phone with its country's digits, or a BSUID.")]
Lost = Annotated[bool, typer.Option("--files-lost", help="Erase the rest although the files are gone for good.")]

_ONE_STORAGE = (
    "run it where the workers keep files (the same STORAGE_DIR on the same disk, or the same bucket); "
    "only if they are lost for good: `recado contacts erase --files-lost`"
)
_Work = Callable[[PersonalData, Person, Files], Awaitable[None]]


@app.command()
def export(
    whose: Whose,
    files: Annotated[Path | None, typer.Option(help="Write the person's files to this folder too.")] = None,
) -> None:
    """Everything stored about one person, as JSON. Exit 1 when nothing is known of them, or files are missing."""

    async def run(personal_data: PersonalData, person: Person, person_files: Files) -> None:
        found = await personal_data.export(person)
        if files is not None:
            for file in found["files"]:
                await asyncio.to_thread(_write, files / file["key"], await person_files.read(file["key"]))
        show(found)
        if missing := await personal_data.missing(person):
            raise FilesLost(missing)

    _run(whose, run)


@app.command()
def erase(
    whose: Whose,
    files_lost: Lost = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Erase everything stored about one person. Exit 1 when nothing is known of them, or files are missing.

    Kept are digests that name nobody: of their messages for 30 days, because Meta may deliver them again; and of their
    phone and BSUID for good if they wanted no marketing.
    """

    async def run(personal_data: PersonalData, person: Person, _: Files) -> None:
        erased = await personal_data.erase(person, files_lost=files_lost)
        words = f"erased: {erased.keys} keys, {erased.files} files, {erased.jobs} jobs"
        show(f"{words}; the wish for no marketing is kept" if erased.opted_out else words)

    _run(whose, run)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _run(whose: str, work: _Work) -> None:
    """Exit 0 when the work was done, 1 when nobody was found or it failed, 2 when the settings are wrong."""
    settings = read_settings()
    try:
        problem = asyncio.run(_problem(settings, whose, work))
    except SettingsWrong as error:
        stop(str(error), 2)
    if problem:
        stop(problem)


async def _problem(settings: Settings, whose: str, work: _Work) -> str | None:
    """Do the work; gives the reason where it can't be done."""
    problem: str | None = None
    try:
        async with open_services(settings) as services:
            person = await privacy.find(services.redis, whose)
            if person is None:
                return "nothing is known of this ID; expected a phone with its country's digits, or a BSUID"
            await work(services.personal_data, person, services.files)
    except FilesLost as error:
        problem = f"{error}; {_ONE_STORAGE}"
    except StorageFailed as error:
        problem = f"the storage failed: {error}; see `recado doctor`, then do it again"
    except privacy.ConversationBusy:
        problem = "somebody works on this conversation; do it again in a minute"
    except RedisError as error:
        problem = redis_problem(error)
    except RedisIsCluster as error:
        problem = str(error)
    except OSError as error:
        problem = f"can't be written: {error.strerror or type(error).__name__}"
    return problem

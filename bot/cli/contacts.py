"""`recado contacts …`: what is stored about one person, to hand it to them or to erase it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.infra import logs
from bot.settings import Settings, SettingsWrong

if TYPE_CHECKING:
    from bot.privacy import Person, PersonalData
    from bot.storage.files import Files

app = typer.Typer(name="contacts", help="What is stored about one person: export, erase.", no_args_is_help=True)

Whose = Annotated[str, typer.Argument(metavar="ID", help="A phone with its country's digits, or a BSUID.")]
Lost = Annotated[bool, typer.Option("--files-lost", help="Erase the rest although the files are gone for good.")]
# As the workers': a command that is killed holds a conversation no longer than they would.
_LEASE_SECONDS = 6.0

_ONE_STORAGE = (
    "run it where the workers keep files (the same STORAGE_DIR on the same disk, or the same bucket); "
    "only if they are lost for good: `recado contacts erase --files-lost`"
)
_Work = Callable[["PersonalData", "Person", "Files"], Awaitable[None]]


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
        print(json.dumps(found, ensure_ascii=False, indent=2))  # noqa: T201
        if missing := await personal_data.missing(person):
            from bot.storage.files import FilesLost  # noqa: PLC0415 - each command loads only what it runs

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
        print(f"{words}; the wish for no marketing is kept" if erased.opted_out else words)  # noqa: T201

    _run(whose, run)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _run(whose: str, work: _Work) -> None:
    """Exit 0 when it was done, 1 when nobody was found or something failed, 2 when the settings are wrong."""
    # The answer stands on standard output; what is logged beside it is for trouble.
    logs.configure("warning", "console")
    try:
        settings = Settings()
        trouble = asyncio.run(_trouble(settings, whose, work))
    except SettingsWrong as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    if trouble:
        sys.stderr.write(f"{trouble}\n")
        raise typer.Exit(1)


async def _trouble(settings: Settings, whose: str, work: _Work) -> str | None:
    """Do the work, and say what kept it from being done."""
    from redis.exceptions import RedisError  # noqa: PLC0415 - each command loads only what it runs

    from bot import privacy  # noqa: PLC0415 - as above
    from bot.storage.files import FilesLost  # noqa: PLC0415 - as above
    from bot.storage.storage import StorageFailed  # noqa: PLC0415 - as above

    trouble: str | None = None
    try:
        async with _open(settings) as (redis, found, files):
            person = await privacy.find(redis, whose)
            if person is None:
                return "nothing is known of this ID; expected a phone with its country's digits, or a BSUID"
            await work(found, person, files)
    except FilesLost as error:
        trouble = f"{error}; {_ONE_STORAGE}"
    except StorageFailed as error:
        trouble = f"the storage failed: {error}; see `recado doctor`, then do it again"
    except privacy.ConversationBusy:
        trouble = "somebody works on this conversation; do it again in a minute"
    except RedisError as error:
        trouble = f"Redis does not answer ({type(error).__name__}); see REDIS_URL"
    except OSError as error:
        trouble = f"can't be written: {error.strerror or type(error).__name__}"
    return trouble


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[tuple[Any, PersonalData, Files]]:
    from bot.conversations.lease import ConversationLeases  # noqa: PLC0415 - as above
    from bot.delivery.statuses import DeliveryStatuses  # noqa: PLC0415 - as above
    from bot.infra.live_events import LiveEvents  # noqa: PLC0415 - as above
    from bot.infra.redis import connect  # noqa: PLC0415 - as above
    from bot.privacy import PersonalData  # noqa: PLC0415 - as above
    from bot.storage.files import files_of  # noqa: PLC0415 - as above

    async with connect(settings.redis) as redis:
        files = files_of(redis, settings)
        yield (
            redis,
            PersonalData(
                redis,
                ConversationLeases(redis, lease_seconds=_LEASE_SECONDS),
                files,
                DeliveryStatuses(redis, LiveEvents(redis)),
            ),
            files,
        )

"""`recado db …`: the database's schema."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import typer
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from bot.cli.terminal import read_settings, show, stop
from bot.cli.words import say
from bot.database import upgrade as schema
from bot.database.engine import Database, open_database

app = typer.Typer(name="db", help="The database's schema: upgrade, check.", no_args_is_help=True, add_completion=False)


@app.command()
def upgrade() -> None:
    """Bring the schema up to date. Nothing happens where it is; processes that run may go on meanwhile."""

    async def work(database: Database) -> None:
        steps = await schema.missing_steps(database)
        await schema.upgrade(database)
        show(say("upgraded", steps=", ".join(steps)) if steps else say("up to date"))

    _run(work)


@app.command()
def check() -> None:
    """Say whether the schema is up to date. Exit 1 when it lacks steps, or the database does not answer."""

    async def work(database: Database) -> None:
        if steps := await schema.missing_steps(database):
            stop(say("lacks", steps=", ".join(steps)))
        show(say("up to date"))

    _run(work)


def _run(work: Callable[[Database], Awaitable[None]]) -> None:
    settings = read_settings()

    async def run() -> None:
        database = open_database(settings.database.url.get_secret_value())
        try:
            await work(database)
        finally:
            await database.close()

    try:
        asyncio.run(run())
    except (SQLAlchemyError, CommandError, OSError) as error:
        stop(say("database not there", error=type(getattr(error, "orig", None) or error).__name__))

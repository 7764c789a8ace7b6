"""`recado catalogue …`: products to find and to sell, taken from the shop's own file and given back as one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from redis.exceptions import RedisError

from bot.catalogue.card_sync import CardSync
from bot.catalogue.export import exported
from bot.catalogue.importer import ReadCatalogue, read_catalogue
from bot.catalogue.product import CatalogueProduct
from bot.catalogue.table import DATABASE_ERRORS, ProductTable, Written
from bot.catalogue.texts import refusal_text, text_of
from bot.cli.progress import progress
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
from bot.cli.words import say, system_reason
from bot.database.opening import SchemaOutdated, open_current
from bot.infra.redis import connect
from bot.messages.language import Language
from bot.products.catalogue import Catalogue
from bot.settings import Settings
from pipelines.spreadsheet import MOST_BYTES, TableRefused

app = typer.Typer(
    name="catalogue", help="Products to find and to sell: import, export.", no_args_is_help=True, add_completion=False
)
Result = TypeVar("Result")
_SHOWN = 50


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; its first row names the columns, in Spanish or English")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove the imported products that the file doesn't have any more.")
    ] = False,
    output: Format = "text",
) -> None:
    """Take the products of a file, by their sku: new ones are added, known ones brought up to date.

    Bad rows are named by number and left out. Exit 1 when no product could be taken.
    """
    check_format(output)
    settings = read_settings()
    language = terminal_language(settings)
    try:
        with progress(say("reading rows"), output=output) as step:
            read = read_catalogue(_bytes_of(file), settings.service.shop_currency, datetime.now(UTC), step)
        if replace and read.bad:
            stop("\n".join([*_bad_lines(read, language), text_of("not_replaced", language)]))
        written = _run(_written(settings, read, replaces=replace)) if read.products else Written()
    except TableRefused as error:
        stop(f"{file.name}: {refusal_text(error, language)}")
    _report(read, written, output, language)


@app.command()
def export() -> None:
    """Write all products as CSV to standard output: imported ones and cards that staff confirmed."""
    settings = read_settings()
    sys.stdout.buffer.write(exported(_run(_all(settings))))
    sys.stdout.buffer.flush()


def _bytes_of(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise TableRefused("large")
        return file.read_bytes()
    except OSError as error:
        stop(f"{file}: {system_reason(error)}")


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of the work, or one line where the database or Redis fails."""
    try:
        return asyncio.run(work)
    except SchemaOutdated as error:
        stop(say("outdated", missing=error.missing))
    except RedisError as error:
        stop(redis_problem(error))
    except DATABASE_ERRORS as error:
        stop(database_problem(error))


async def _written(settings: Settings, read: ReadCatalogue, *, replaces: bool) -> Written:
    # A price without a column for its currency is in the shop's.
    known = read.columns | ({"currency"} if "price" in read.columns else set())
    database = await open_current(settings.database.url.get_secret_value())
    try:
        return await ProductTable(database).write(read.products, known=known, replaces=replaces)
    finally:
        await database.close()


async def _all(settings: Settings) -> list[CatalogueProduct]:
    database = await open_current(settings.database.url.get_secret_value())
    try:
        table = ProductTable(database)
        try:
            async with connect(settings.redis) as redis:
                await CardSync(Catalogue(redis)).sync(table)
        except RedisError as error:
            complain(say("cards missing", problem=redis_problem(error)))
        return await table.all()
    finally:
        await database.close()


def _report(read: ReadCatalogue, written: Written, output: str, language: Language) -> None:
    if output == "json":
        bad = [{"row": bad_row.row, "reason": refusal_text(bad_row.reason, language)} for bad_row in read.bad]
        show({**asdict(written), "bad": bad})
    else:
        for line in _bad_lines(read, language):
            complain(line)
        said = text_of("done", language, new=written.new, changed=written.changed, same=written.same)
        said += text_of("removed", language, removed=written.removed) if written.removed else ""
        show(said + (text_of("left_out", language, count=len(read.bad)) if read.bad else ""))
    if not read.products:
        stop(text_of("none_taken", language))


def _bad_lines(read: ReadCatalogue, language: Language) -> list[str]:
    shown = read.bad[:_SHOWN]
    lines = [
        text_of("row", language, row=bad_row.row, reason=refusal_text(bad_row.reason, language)) for bad_row in shown
    ]
    rest = len(read.bad) - len(shown)
    return [*lines, text_of("more", language, count=rest)] if rest else lines

"""`recado products …`: the confirmed catalogue."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from redis.exceptions import RedisError

from bot.cli.terminal import read_settings, redis_problem, stop
from bot.cli.words import say
from bot.infra.redis import connect
from bot.products.catalogue import Catalogue
from bot.products.export import FORMATS, Listed, exported
from bot.settings import Settings

app = typer.Typer(name="products", help="The confirmed catalogue: export.", no_args_is_help=True, add_completion=False)


# Without a callback typer would put the single command in the group's place.
@app.callback()
def products() -> None:
    """The confirmed catalogue: export."""


@app.command()
def export(
    as_: Annotated[str, typer.Option("--format", metavar="csv|json|xlsx", help="csv, json or xlsx (Excel)")] = "csv",
) -> None:
    """Write the confirmed catalogue to standard output. Exit 0 also when it is empty."""
    chosen = next((known for known in FORMATS if known == as_), None)
    if chosen is None:
        raise typer.BadParameter(say("expected", choices=", ".join(FORMATS)), param_hint="--format")
    if chosen == "xlsx" and sys.stdout.isatty():
        stop(say("xlsx on a terminal"), 2)
    try:
        data = asyncio.run(_exported(read_settings(), chosen))
    except RedisError as error:
        stop(redis_problem(error))
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


async def _exported(settings: Settings, as_: str) -> bytes:
    async with connect(settings.redis) as redis:
        catalogue = Catalogue(redis)
        listed = [
            Listed(product, await catalogue.history(product.id) if as_ == "json" else ())
            async for product in catalogue.all()
        ]
    return exported(listed, FORMATS[FORMATS.index(as_)], settings.service.zone)

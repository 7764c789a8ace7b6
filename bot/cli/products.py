"""`recado products …`: the confirmed catalogue."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from bot.infra import logs
from bot.settings import Settings, SettingsWrong

app = typer.Typer(name="products", help="The confirmed catalogue: export.", no_args_is_help=True)


@app.callback()
def products() -> None:
    """With one command alone, typer would make it the group."""


@app.command()
def export(
    as_: Annotated[str, typer.Option("--format", metavar="csv|json|xlsx", help="csv, json or xlsx (Excel)")] = "csv",
) -> None:
    """Write the confirmed catalogue to standard output. Exit 0 also when it is empty."""
    from bot.products.export import FORMATS  # noqa: PLC0415 - each command loads only what it runs

    # The file stands on standard output; what is logged beside it is for trouble.
    logs.configure("warning", "console")
    chosen = next((one for one in FORMATS if one == as_), None)
    if chosen is None:
        raise typer.BadParameter(f"expected {', '.join(FORMATS)}", param_hint="--format")
    if chosen == "xlsx" and sys.stdout.isatty():
        sys.stderr.write(
            "an xlsx is no text for a terminal; write it to a file: recado products export … > products.xlsx\n"
        )
        raise typer.Exit(2)
    try:
        data = asyncio.run(_exported(Settings(), chosen))
    except SettingsWrong as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    if isinstance(data, str):
        sys.stderr.write(f"{data}\n")
        raise typer.Exit(1)
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


async def _exported(settings: Settings, as_: str) -> bytes | str:
    """The file, or a sentence about what kept it from being made."""
    from redis.exceptions import RedisError  # noqa: PLC0415 - as above

    from bot.infra.redis import connect  # noqa: PLC0415 - as above
    from bot.products.catalogue import Catalogue  # noqa: PLC0415 - as above
    from bot.products.export import FORMATS, Listed, exported  # noqa: PLC0415 - as above

    try:
        async with connect(settings.redis) as redis:
            catalogue = Catalogue(redis)
            listed = [
                Listed(one, await catalogue.history(one.id) if as_ == "json" else ()) async for one in catalogue.all()
            ]
    except RedisError as error:
        return f"Redis does not answer ({type(error).__name__}); see REDIS_URL"
    return exported(listed, FORMATS[FORMATS.index(as_)], settings.service.zone)

"""`recado sandbox`: the whole service on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.eval_process import evaluate_cases
from bot.cli.process import run_process, until_stopped
from bot.cli.serve import Host, Port
from bot.settings import Settings
from sandbox.app import open_company


def sandbox(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data: Annotated[Path, typer.Option(help="Where it keeps its data.")] = Path("data/sandbox"),
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete what earlier runs left in that folder.")] = False,
) -> None:
    """Run the whole service on this machine, with a phone in the browser; no account and no key needed."""

    async def run(settings: Settings) -> None:
        async with open_company(settings, host, port, data, fresh=fresh, warm=True, evaluate=evaluate_cases) as url:
            redis = settings.redis.url.get_secret_value() if settings.redis.url else ""
            console = f"{url}console (you are logged in there, on this machine alone)"
            database = settings.database.url.get_secret_value()
            words = (
                f"Recado is open: {url}\n  The console: {console}\n"
                f"  Other commands reach its data with REDIS_URL={redis} DATABASE_URL={database}\n"
                "  Stop it with Ctrl-C."
            )
            print(f"\n  {words}\n", flush=True)  # noqa: T201
            await until_stopped()

    run_process(run)

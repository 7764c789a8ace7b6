"""`recado serve`: the web server."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.process import collect_garbage_rarely, run_process, until_stopped
from bot.database.version import require_current
from bot.settings import Settings
from bot.web.app import create_app
from bot.web.server import listening

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)]


def serve(host: Host = "0.0.0.0", port: Port = 8080) -> None:
    """Run the web server: webhooks, console, health, metrics. Any number of them, on any number of machines."""

    async def run(settings: Settings) -> None:
        app = create_app(settings)
        await require_current(settings.database)
        async with listening(app, host, port):
            collect_garbage_rarely()
            await until_stopped()

    run_process(run)

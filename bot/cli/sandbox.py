"""`recado sandbox`: the whole service on this machine."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.eval_process import evaluate_cases
from bot.cli.process import run_process, until_stopped
from bot.cli.serve import Host, Port
from bot.cli.terminal import terminal_language
from bot.messages.language import Language
from bot.settings import Settings
from sandbox.app import open_company

_WORDS: dict[str, dict[Language, str]] = {
    "reading": {
        "es": "  Leyendo los documentos de la empresa, sólo la primera vez: {read} de {total}",
        "en": "  Reading the company's documents, the first time only: {read} of {total}",
    },
    "open": {
        "es": "\n  Recado está abierto: {url}\n"
        "  La consola: {url}console (ahí ya entraste, sólo en esta máquina)\n"
        "  Otros comandos llegan a sus datos con REDIS_URL={redis} DATABASE_URL={database} STORAGE_DIR={files}\n"
        "  Para terminar: Ctrl-C.\n",
        "en": "\n  Recado is open: {url}\n"
        "  The console: {url}console (you are logged in there, on this machine alone)\n"
        "  Other commands reach its data with REDIS_URL={redis} DATABASE_URL={database} STORAGE_DIR={files}\n"
        "  Stop it with Ctrl-C.\n",
    },
}


def sandbox(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data: Annotated[Path, typer.Option(help="Where it keeps its data.")] = Path("data/sandbox"),
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete what earlier runs left in that folder.")] = False,
) -> None:
    """Run the whole service on this machine, with a phone in the browser; no account and no key needed."""

    async def run(settings: Settings) -> None:
        language = terminal_language(settings)
        tell = partial(_tell_reading, language)
        opened = open_company(settings, host, port, data, fresh=fresh, warm=True, tell=tell, evaluate=evaluate_cases)
        async with opened as url:
            redis = settings.redis.url.get_secret_value() if settings.redis.url else ""
            database, files = settings.database.url.get_secret_value(), settings.storage.dir.resolve()
            places = {"url": url, "redis": redis, "database": database, "files": files}
            print(_WORDS["open"][language].format(**places), flush=True)  # noqa: T201
            await until_stopped()

    run_process(run)


def _tell_reading(language: Language, read: int, total: int) -> None:
    """Show how many documents are read: in one line on a terminal, else at the beginning and at the end."""
    is_terminal, is_last = sys.stdout.isatty(), read == total
    if is_terminal or is_last or not read:
        line = _WORDS["reading"][language].format(read=read, total=total)
        print(line, end="\n" if is_last or not is_terminal else "\r", flush=True)  # noqa: T201

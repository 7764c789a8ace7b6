"""A fork server with Recado imported: a process starts in milliseconds instead of a second."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from contextlib import chdir
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

# One list, because a process has one fork server: the list of the last caller would hold for all.
_IMPORTED = (
    "bot.__main__",
    "aiosqlite",
    "bot.agent.preview",
    "bot.agent.vocabulary",
    "bot.cli.catalogue",
    "bot.cli.contacts",
    "bot.cli.doctor",
    "bot.cli.keys",
    "bot.cli.knowledge",
    "bot.cli.operators",
    "bot.cli.prompts.evaluate",
    "bot.cli.sandbox",
    "bot.cli.serve",
    "bot.cli.worker",
    "bot.infra.loop_watchdog",
    "bot.infra.open_files",
    "bot.privacy",
    "bot.web.app",
    "bot.web.server",
    "bot.worker",
    "sandbox.app",
    "stripe",
    "uvloop",
)
_context: ForkServerContext = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([*_IMPORTED, "bench.frozen_memory"])
_ROOT = Path(__file__).parents[1]


def prepared(target: Callable[..., None], *arguments: object, daemon: bool = False) -> ForkServerProcess:
    """A process of the fork server, to be started. Its function calls `begin_with` first."""
    _start_server()
    return _context.Process(target=target, args=arguments, daemon=daemon)


@cache
def _start_server() -> None:
    # Python 3.11's fork server finds no module by our path, but those of its folder.
    with chdir(_ROOT):
        forkserver.ensure_running()


def begin_with(environment: Mapping[str, str], folder: str) -> None:
    """Replace the fork server's variables and folder."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def write_to(path: str, *descriptors: int) -> None:
    """Let these descriptors write to the file."""
    with open(path, "w") as file:  # noqa: PTH123 - a descriptor to put in the place of a stream's
        for number in descriptors:
            os.dup2(file.fileno(), number)

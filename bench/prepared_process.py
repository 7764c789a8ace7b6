"""A fork server with Recado imported: a process starts in milliseconds instead of a second."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext

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
PREPARED: ForkServerContext = multiprocessing.get_context("forkserver")
PREPARED.set_forkserver_preload(list(_IMPORTED))


def use_environment(environment: Mapping[str, str]) -> None:
    """Replace the variables that this process has from the moment at which the fork server started."""
    os.environ.clear()
    os.environ.update(environment)


def write_to(path: str, *descriptors: int) -> None:
    """Let these descriptors write to the file."""
    with open(path, "w") as file:  # noqa: PTH123 - a descriptor to put in the place of a stream's
        for number in descriptors:
            os.dup2(file.fileno(), number)

"""Recado's commands on a terminal, as a person sees them."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from contextlib import suppress
from dataclasses import dataclass

from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Shown:
    code: int
    text: str


async def on_terminal(*command: str, says: str = "", **environment: str) -> Shown:
    """Run `recado` on a terminal of 80 columns, where somebody types this; gives all that the terminal shows."""
    return await asyncio.wait_for(asyncio.to_thread(_run, command, says, environment), PATIENCE)


def _run(command: tuple[str, ...], says: str, environment: dict[str, str]) -> Shown:
    # Because a fork of a process with threads may hang, a new Python makes the terminal its own.
    master, slave = pty.openpty()
    settings = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"} | environment
    arguments = [sys.executable, "-m", "bot", *command]
    streams = [(os.POSIX_SPAWN_DUP2, slave, number) for number in (0, 1, 2)]
    child = os.posix_spawn(sys.executable, arguments, settings, file_actions=streams, setsid=True)
    os.close(slave)
    os.write(master, says.encode())
    shown = b""
    # Because Linux tells the end of a terminal as an error, it is none here.
    with suppress(OSError):
        while piece := os.read(master, 65536):
            shown += piece
    os.close(master)
    _, status = os.waitpid(child, 0)
    return Shown(os.waitstatus_to_exitcode(status), shown.decode())

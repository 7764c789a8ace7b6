"""Recado's commands on a terminal, as a person sees them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.prepared_process import begin_with, prepared
from bot.__main__ import main
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Shown:
    code: int
    text: str


async def on_terminal(*command: str, says: str = "", **environment: str) -> Shown:
    """Run `recado` on a terminal of 80 columns, where somebody types this; gives all that the terminal shows."""
    return await asyncio.wait_for(asyncio.to_thread(_shown, command, says, environment), PATIENCE)


def _shown(command: tuple[str, ...], says: str, environment: dict[str, str]) -> Shown:
    master, slave = pty.openpty()
    settings = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"} | environment
    child = prepared(_run, command, settings, str(Path.cwd()), os.ttyname(slave))
    child.start()
    os.write(master, says.encode())
    with ThreadPoolExecutor(1) as pool:
        shown = pool.submit(_all_of, master)
        child.join(PATIENCE)
        os.close(slave)
    os.close(master)
    return Shown(child.exitcode or 0, shown.result().decode())


def _all_of(terminal: int) -> bytes:
    shown = b""
    # Because Linux tells the end of a terminal as an error, it is none here.
    with suppress(OSError):
        while piece := os.read(terminal, 65536):
            shown += piece
    return shown


def _run(command: tuple[str, ...], environment: dict[str, str], folder: str, terminal: str) -> None:
    begin_with(environment, folder)
    os.setsid()
    opened = os.open(terminal, os.O_RDWR)
    fcntl.ioctl(opened, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(opened, number)
    # Streams of a terminal are buffered by lines, which is decided when they are opened.
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    sys.argv = ["recado", *command]
    main()

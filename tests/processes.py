"""Recado's commands in processes of their own, as an operator runs them."""

import asyncio
import io
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Literal, TypeVar

from bench.prepared_process import begin_with, prepared, write_to
from bench.upgraded_file import put_upgraded
from bot.__main__ import main
from bot.cli.main import cli
from bot.infra import logs
from tests.waiting import PATIENCE, at_most

Found = TypeVar("Found")


async def eventually(ask: Callable[[], Awaitable[Found]], seconds: float = PATIENCE) -> Found:
    """The first true answer; TimeoutError when there is none in time."""
    async with at_most(seconds):
        while not (found := await ask()):
            await asyncio.sleep(0.05)
    return found


async def _begun(
    command: tuple[str, ...], environment: dict[str, str], out: Path, err: Path, *, absent: str = ""
) -> ForkServerProcess:
    arguments = (command, os.environ | environment, str(Path.cwd()), str(out), str(err), absent)
    # Not a daemon, because a worker reads files in a child process, and daemons may have none.
    process = prepared(_run, *arguments)
    await asyncio.to_thread(process.start)
    return process


class Process:
    """A process of the fork server, with the interface of asyncio's processes."""

    def __init__(self, started: ForkServerProcess) -> None:
        self._started = started

    @property
    def pid(self) -> int | None:
        return self._started.pid

    @property
    def returncode(self) -> int | None:
        return self._started.exitcode

    def send_signal(self, number: int) -> None:
        if self.returncode is None and self._started.pid is not None:
            os.kill(self._started.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for the end; returns the exit code."""
        while (code := self.returncode) is None:
            await asyncio.sleep(0.01)
        return code


@dataclass
class Running:
    """A running process with its log."""

    process: Process
    _log: Path
    _out: Path
    _last: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        """The text on standard error so far."""
        if self._log.exists():
            self._last = self._log.read_text()
        return self._last

    @property
    def printed(self) -> str:
        """The text on standard output so far."""
        return self._out.read_text() if self._out.exists() else ""

    def keep(self) -> None:
        """Read the log a last time, before its folder is deleted."""
        self._last = self.text
        assert self.text is not None

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log, whose lines must all be JSON."""
        return [json.loads(line) for line in self.text.splitlines()]

    async def line(self, event: str) -> dict[str, Any]:
        """The first line of the log with this event, as soon as it is there."""

        async def told() -> dict[str, Any]:
            text, over = self.text, self.process.returncode is not None
            whole = text[: text.rfind("\n") + 1]
            found: dict[str, Any] = next((json.loads(line) for line in whole.splitlines() if f'"{event}"' in line), {})
            assert found or not over, f"it ended without telling of {event}: {text}"
            return found

        return await eventually(told)

    async def stop(self) -> int:
        """Stop the process and wait for its end; returns the exit code."""
        self.process.terminate()
        return await self.process.wait()


@asynccontextmanager
async def running(*command: str, **environment: str) -> AsyncIterator[Running]:
    """Run `recado` with this command until the context ends."""
    if "DATABASE_URL" not in environment and command[0] in ("serve", "worker"):
        await asyncio.to_thread(put_upgraded, Path("data", "recado.db"))
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        run = Running(Process(await _begun(command, environment, out, err)), err, out)
        try:
            yield run
        finally:
            await run.stop()
            run.keep()


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    written: bytes = field(default=b"", repr=False, compare=False)
    """The bytes of standard output, which may be no text."""


async def recado(*command: str, **environment: str) -> Ended:
    """Run `recado` with this command, in this folder and environment, to its end."""
    return await _ended(command, environment)


async def recado_without(absent: Literal["a reader", "standard error"], *command: str) -> Ended:
    """Run `recado` with this command to its end: the reader of its output has left, or its standard error is closed."""
    return await _ended(command, {}, absent)


async def recado_here(*command: str) -> Ended:
    """Run a command in this process, because each new one takes a second to load the model of documents."""
    return await asyncio.to_thread(_called, command)


def _called(command: tuple[str, ...]) -> Ended:
    code: str | int | None = 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            cli(command, prog_name="recado")
        except SystemExit as ended:
            code = ended.code
    # The command's log went to these streams.
    logs.configure("warning", "console")
    return Ended(int(code or 0), out.getvalue(), err.getvalue())


async def _ended(command: tuple[str, ...], environment: dict[str, str], absent: str = "") -> Ended:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = await _begun(command, environment, out, err, absent=absent)
        await asyncio.to_thread(process.join, PATIENCE)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"recado {' '.join(command)}: {err.read_text()}")
        text = out.read_text(errors="surrogateescape")
        return Ended(process.exitcode, text, err.read_text(), out.read_bytes())


def _run(command: tuple[str, ...], environment: dict[str, str], folder: str, out: str, err: str, absent: str) -> None:
    begin_with(environment, folder)
    write_to(out, 1)
    write_to(err, 2)
    if absent == "a reader":
        read, written = os.pipe()
        os.close(read)
        os.dup2(written, 1)
    elif absent == "standard error":
        # As Python starts with a closed descriptor.
        os.close(2)
        sys.stderr = None
    sys.argv = ["recado", *command]
    main()

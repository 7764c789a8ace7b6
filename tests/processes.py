"""Recado's commands in processes of their own, as an operator runs them."""

import asyncio
import json
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bot.__main__ import main

Found = TypeVar("Found")


async def eventually(ask: Callable[[], Awaitable[Found]], seconds: float = 20) -> Found:
    """The first true answer; TimeoutError when there is none in time."""
    async with asyncio.timeout(seconds):
        while not (found := await ask()):
            await asyncio.sleep(0.05)
    return found


@dataclass
class Running:
    """A process under way; `text` is all that it wrote to standard error so far."""

    process: asyncio.subprocess.Process
    text: str = field(default="", repr=False)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log, every line of which has to be JSON."""
        return [json.loads(line) for line in self.text.splitlines()]

    async def line(self, event: str) -> dict[str, Any]:
        """The first line of the log that tells of this event, as soon as it is there."""

        async def told() -> dict[str, Any]:
            whole = self.text[: self.text.rfind("\n") + 1]
            found = (json.loads(line) for line in whole.splitlines() if f'"{event}"' in line)
            return next(found, {})

        return await eventually(told)

    async def stop(self) -> int:
        """Tell it to stop and wait for its end; gives its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@asynccontextmanager
async def running(*command: str, **environment: str) -> AsyncIterator[Running]:
    """Run `recado` with this command until the context ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *command), env=os.environ | environment, stderr=asyncio.subprocess.PIPE
    )
    run = Running(process)
    stderr = process.stderr
    assert stderr is not None

    async def listen() -> None:
        while heard := await stderr.read(65536):
            run.text += heard.decode()

    listening = asyncio.create_task(listen())
    try:
        yield run
    finally:
        await run.stop()
        await listening


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


# A server of prepared processes: each is a real one of its own, and starts in milliseconds instead of a second.
_prepared = multiprocessing.get_context("forkserver")
_prepared.set_forkserver_preload(
    ["bot.cli", "bot.app", "bot.worker", "bot.doctor", "bot.dossier", "bot.preview", "bot.vocabulary"]
)


async def recado(*command: str, **environment: str) -> Ended:
    """Run `recado` with this command, in this folder and environment, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        arguments = (command, os.environ | environment, str(Path.cwd()), str(out), str(err))
        process = _prepared.Process(target=_run, args=arguments, daemon=True)
        await asyncio.to_thread(process.start)
        await asyncio.to_thread(process.join, 40)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"recado {' '.join(command)}: {err.read_text()}")
        return Ended(process.exitcode, out.read_text(), err.read_text())


def _run(command: tuple[str, ...], environment: dict[str, str], folder: str, out: str, err: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for path, number in ((out, 1), (err, 2)):
        with open(path, "w") as file:  # noqa: PTH123 - a descriptor to put in the place of a stream's
            os.dup2(file.fileno(), number)
    sys.argv = ["recado", *command]
    main()

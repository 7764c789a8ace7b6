"""Recado's commands in processes of their own, as an operator runs them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

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


async def recado(*command: str, **environment: str) -> Ended:
    """Run `recado` with this command to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *command),
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())

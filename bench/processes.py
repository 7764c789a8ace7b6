"""A measured process of Recado."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack

import psutil


class Process:
    def __init__(self, process: asyncio.subprocess.Process, seconds_until_ready: float) -> None:
        self._process = process
        self._stats = psutil.Process(process.pid)
        self.seconds_until_ready = seconds_until_ready

    @classmethod
    async def start(cls, stack: AsyncExitStack, module: str, *arguments: str, port: int = 0) -> Process:
        """Start `python -m module`; it is ready when its log says so, or when its port answers."""
        return await cls.start_program(stack, sys.executable, "-m", module, *arguments, port=port)

    @classmethod
    async def start_program(cls, stack: AsyncExitStack, *command: str, port: int = 0) -> Process:
        """The same for any program."""
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command, env=os.environ | {"PORT": str(port)}, stderr=asyncio.subprocess.PIPE
        )
        assert process.stderr is not None
        if port:
            await _answers(port)
        else:
            while b"_ready" not in (line := await process.stderr.readline()):
                if not line:
                    raise RuntimeError(f"{command} ended before it was ready")
        self = cls(process, time.perf_counter() - began)
        drain = asyncio.create_task(_drain(process.stderr))
        stack.push_async_callback(self.stop)
        stack.callback(drain.cancel)
        return self

    @property
    def megabytes(self) -> float:
        memory: int = self._stats.memory_info().rss
        return memory / 1e6

    @property
    def cpu_seconds(self) -> float:
        times = self._stats.cpu_times()
        spent: float = times.user + times.system
        return spent

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


async def _answers(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass

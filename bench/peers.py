"""The Chat SDK at the same work: it marks as read, shows typing, asks the model, replies, and keeps nothing durably."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bench.chaos.node import program
from bench.processes import Process
from bench.rows import TURNS, Row
from bench.service import MeasuredService, measured_service
from sandbox.ports import free_port

_PROGRAM = Path(__file__).parent / "chat_sdk.mjs"
_PACKAGES = ("chat@4", "@chat-adapter/whatsapp@4", "@chat-adapter/state-redis@4")
_WARM = 20


async def measured() -> list[Row]:
    """Turns a second, and CPU a turn, of one process; one row that says so where npm can't install it."""
    async with measured_service() as service:
        peer = port = None
        with suppress(RuntimeError, TimeoutError):
            peer, port = await _started(service)
        if peer is None or port is None:
            return [("Chat SDK (Node): npm can't install it here", "-", "")]
        load = service.load()
        await load.acknowledge(port, _WARM)
        await service.upstreams.sent(_WARM, within=60)
        before, began = peer.cpu_seconds, time.perf_counter()
        await load.acknowledge(port, TURNS)
        await service.upstreams.sent(_WARM + TURNS, within=300)
        seconds = time.perf_counter() - began
        return [
            ("Chat SDK (Node): turns per second", f"{TURNS / seconds:.0f}", ""),
            ("Chat SDK (Node): CPU milliseconds a turn", f"{(peer.cpu_seconds - before) / TURNS * 1000:.1f}", ""),
        ]


async def _started(service: MeasuredService) -> tuple[Process, int]:
    port, folder = free_port(), Path(service.stack.enter_context(tempfile.TemporaryDirectory()))
    shutil.copy(_PROGRAM, folder)
    node, npm = program()
    options = ("install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder))
    install = await asyncio.create_subprocess_exec(*npm, *options, *_PACKAGES)
    if await install.wait():
        raise RuntimeError("npm could not install the Chat SDK")
    os.environ["UPSTREAM"] = service.upstreams.url
    return await Process.start_program(service.stack, *node, str(folder / _PROGRAM.name), port=port), port

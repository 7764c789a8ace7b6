"""The console's parts, made at its first request: their libraries take memory that a server without people saves."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from bot.infra.queues import JobScheduler
from bot.settings import Settings
from bot.whatsapp.client import Graph

if TYPE_CHECKING:
    from bot.console.parts import ConsoleParts


class ConsoleOpening:
    """Calling it gives the parts; the first call makes them."""

    def __init__(
        self, settings: Settings, redis: Redis, http: aiohttp.ClientSession, graph: Graph, scheduler: JobScheduler
    ) -> None:
        self._arguments = (settings, redis, http, graph, scheduler)
        self._opening = asyncio.Lock()
        self._parts: ConsoleParts | None = None

    async def __call__(self) -> ConsoleParts:
        if self._parts is None:
            async with self._opening:
                if self._parts is None:
                    # In a thread, because webhooks can't wait for the import.
                    module = await asyncio.to_thread(importlib.import_module, "bot.console.parts")
                    self._parts = await module.open_parts(*self._arguments)
        return self._parts

    async def close(self) -> None:
        if self._parts is not None:
            await self._parts.close()


OPENING = web.AppKey("console_opening", ConsoleOpening)


async def parts(request: web.Request) -> ConsoleParts:
    return await request.app[OPENING]()

"""Serving a web application for as long as a context lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

_log = structlog.get_logger()


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int, *, finish: float = 10) -> AsyncIterator[str]:
    """Serve until the context ends, then give the requests in hand `finish` seconds; gives the address."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=finish)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0][1]
        _log.info("server_ready", host=host, port=bound)
        yield f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{bound}"
    finally:
        await runner.cleanup()

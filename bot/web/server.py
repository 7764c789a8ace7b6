"""Context that serves a web application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bot.web.connections import ConnectionLimits, Connections

_log = structlog.get_logger()
_BACKLOG = 512


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, *, finish: float = 10, limits: ConnectionLimits | None = None
) -> AsyncIterator[str]:
    """Serve until the context ends, then give open requests `finish` seconds; yields the address."""
    app.on_response_prepare.append(_hide_versions)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=finish)
    await runner.setup()
    try:
        if runner.server is None:  # pragma: no cover - set up one line before
            raise RuntimeError("the application has no server")
        async with Connections(limits or ConnectionLimits()).watched() as connections:
            factory = connections.factory(runner.server)
            listener = await asyncio.get_running_loop().create_server(factory, host, port, backlog=_BACKLOG)
            bound = listener.sockets[0].getsockname()[1]
            _log.info("server_ready", host=host, port=bound)
            try:
                yield f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{bound}"
            finally:
                listener.close()
    finally:
        await runner.cleanup()


async def _hide_versions(_: web.Request, response: web.StreamResponse) -> None:
    """Remove the versions of aiohttp and Python, which would tell an attacker which faults to try."""
    response.headers.pop("Server", None)

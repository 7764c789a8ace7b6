"""Blue ticks and the typing dots, for as long as we think about somebody's message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from bot.messages.inbound import Inbound
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable
from bot.whatsapp.rendering import read_mark

_log = structlog.get_logger()
# Meta takes the dots away after 25 s.
_AGAIN_SECONDS = 20.0


@asynccontextmanager
async def typing(graph: Graph, message: Inbound) -> AsyncIterator[None]:
    """Show that the message was read and an answer is being written. Meta's refusal of it never costs the reply."""
    task = asyncio.create_task(_keep(graph, message))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def patience(seconds: float, say: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `say` once if the block takes longer than `seconds`; once begun, it is finished before the block ends."""
    speaking = asyncio.Event()

    async def wait() -> None:
        await asyncio.sleep(seconds)
        speaking.set()
        await say()

    task = asyncio.create_task(wait())
    try:
        yield
    finally:
        if not speaking.is_set():
            task.cancel()
        (failure,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(failure, Exception):
            _log.warning("still_on_it_not_said", error=type(failure).__name__)


async def _keep(graph: Graph, message: Inbound) -> None:
    while True:
        try:
            await graph.mark_read(read_mark(message.id, typing=True), message.phone_number_id)
        except (GraphError, MetaUnavailable) as error:
            _log.debug("typing_not_shown", error=str(error))
        await asyncio.sleep(_AGAIN_SECONDS)

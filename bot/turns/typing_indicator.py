"""Signs for a customer who waits: blue ticks, the typing dots, and one sentence when the answer takes long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from bot.conversations.lease import Lease
from bot.delivery.outbox import Outbox
from bot.messages.inbound import Inbound, Reply, Say
from bot.messages.language import Language, language_of
from bot.messages.phrases import phrase
from bot.messages.prompt_text import typed
from bot.turns.context import TurnAttempt, language_known, reply_to
from bot.turns.store import TurnStore
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable
from bot.whatsapp.rendering import read_mark

_log = structlog.get_logger()
# Meta takes the dots away after 25 s (https://developers.facebook.com/docs/whatsapp/cloud-api/typing-indicators).
_AGAIN_SECONDS = 20.0


class TypingIndicator:
    def __init__(self, graph: Graph, store: TurnStore, outbox: Outbox, default_language: Language) -> None:
        self._graph = graph
        self._store = store
        self._outbox = outbox
        self._default_language = default_language

    @asynccontextmanager
    async def shown(self, message: Inbound) -> AsyncIterator[None]:
        """Mark a message as read and show the dots. A refusal of Meta never costs the reply."""
        task = asyncio.create_task(self._keep(message))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def say_late(self, lease: Lease, turn: str, messages: list[Inbound], attempt: TurnAttempt) -> None:
        """Say, once a turn, that the answer takes longer."""

        def reply() -> Reply:
            # Before all is understood, only what was typed tells the language.
            written = language_of(" ".join(map(typed, messages)))
            language = written or language_known(attempt.contact) or self._default_language
            said = Say(body=phrase("still_on_it", language))
            return reply_to(messages[-1], attempt.contact, f"{turn}-still", (said,))

        if await self._store.put_once(lease, "still", reply):
            await self._outbox.flush(lease)

    async def _keep(self, message: Inbound) -> None:
        while True:
            try:
                await self._graph.mark_read(read_mark(message.id, typing=True), message.phone_number_id)
            except (GraphError, MetaUnavailable) as error:
                _log.debug("typing_not_shown", error=str(error))
            await asyncio.sleep(_AGAIN_SECONDS)


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
            _log.warning("late_answer_not_announced", error=type(failure).__name__)

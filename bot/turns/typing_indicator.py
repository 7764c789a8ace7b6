"""Signs for a customer who waits: read marks, typing dots, and a sentence when the answer takes long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from bot.conversations.lease import Lease
from bot.delivery.outbox import Outbox
from bot.messages.inbound import Inbound
from bot.messages.language import Language, language_of
from bot.messages.outbound import Reply, Say
from bot.messages.phrases import phrase
from bot.messages.prompt_text import typed_text
from bot.turns.context import TurnAttempt, language_known, reply_to
from bot.turns.store import TurnStore
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable
from bot.whatsapp.rendering import read_mark

_log = structlog.get_logger()
# Meta takes the dots away after 25 s (https://developers.facebook.com/docs/whatsapp/cloud-api/typing-indicators).
_AGAIN_SECONDS = 20.0
# Dots that vanish at once are invisible, and cost a request.
_MOMENT_SECONDS = 0.3


class TypingIndicator:
    def __init__(self, graph: Graph, store: TurnStore, outbox: Outbox, default_language: Language) -> None:
        self._graph = graph
        self._store = store
        self._outbox = outbox
        self._default_language = default_language
        self._marks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def shown(self, message: Inbound) -> AsyncIterator[None]:
        """Mark a message as read, and show the dots while the block lasts. A failure never affects the reply.

        A block that ends in a moment shows no dots; its read mark leaves beside the reply.
        """
        marked = asyncio.Event()
        keeping: list[asyncio.Task[None]] = []
        later = _after(_MOMENT_SECONDS, lambda: keeping.append(asyncio.create_task(self._keep(message, marked))))
        try:
            yield
        finally:
            later.cancel()
            for task in keeping:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            if not marked.is_set():
                mark = asyncio.create_task(self._mark(message, typing=False))
                self._marks.add(mark)
                mark.add_done_callback(self._marks.discard)

    async def close(self) -> None:
        """Wait for the read marks that are being sent."""
        await asyncio.gather(*self._marks, return_exceptions=True)

    async def announce_delay(self, lease: Lease, turn: str, messages: list[Inbound], attempt: TurnAttempt) -> None:
        """Tell the customer, once a turn, that the answer takes longer."""

        def reply() -> Reply:
            # Only typed words tell the language, because media may not be read yet.
            written = language_of(" ".join(map(typed_text, messages)))
            language = written or language_known(attempt.contact) or self._default_language
            notice = Say(body=phrase("still_on_it", language))
            return reply_to(messages[-1], attempt.contact, f"{turn}-still", (notice,))

        if await self._store.put_reply_once(lease, "still", reply):
            await self._outbox.flush(lease)

    async def _keep(self, message: Inbound, marked: asyncio.Event) -> None:
        while True:
            await self._mark(message, typing=True)
            marked.set()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _mark(self, message: Inbound, *, typing: bool) -> None:
        if message.is_call or message.is_ours:
            return
        try:
            await self._graph.mark_read(read_mark(message.id, typing=typing), message.phone_number_id)
        except (GraphError, MetaUnavailable) as error:
            _log.debug("read_mark_not_sent", error=str(error))


@asynccontextmanager
async def delay_notice(seconds: float, say: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `say` if the block takes longer than `seconds`; the context waits for a call that has begun."""
    speaking: list[asyncio.Future[None]] = []
    later = _after(seconds, lambda: speaking.append(asyncio.ensure_future(say())))
    try:
        yield
    finally:
        later.cancel()
        for task in speaking:
            (failure,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(failure, Exception):
                _log.warning("late_answer_not_announced", error=type(failure).__name__)


def _after(seconds: float, begin: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, begin)

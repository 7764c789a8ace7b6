"""A turn of a conversation: wait for the end of the burst, read the messages, answer, close in one step, send."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from bot.conversations.inbox import why_unanswered
from bot.conversations.lease import ConversationLeases, Lease
from bot.delivery.outbox import LastWrite, Outbox
from bot.infra.crash_points import passing
from bot.infra.logs import masked
from bot.messages.inbound import Inbound
from bot.settings import TurnSettings
from bot.turns.burst import Burst
from bot.turns.context import TurnAttempt, TurnContext, TurnResult, deadline_for, turn_id, without_flood
from bot.turns.intake import Intake
from bot.turns.opening import Opening
from bot.turns.report import TurnReporter
from bot.turns.responder import Responder
from bot.turns.revisions import MessageBatch
from bot.turns.store import TurnStore
from bot.turns.trace import Trace
from bot.turns.typing_indicator import TypingIndicator, delay_notice


@dataclass(frozen=True, slots=True)
class TurnProcessor:
    leases: ConversationLeases
    store: TurnStore
    typing: TypingIndicator
    intake: Intake
    responder: Responder
    outbox: Outbox
    reporter: TurnReporter
    settings: TurnSettings

    async def take(self, lease: Lease, opening: Opening) -> bool:
        """Take a turn with the waiting messages and those that come during the burst.

        True if the last write released the lease, because no message waits.
        """
        conversation, waiting = lease.conversation, opening.waiting.messages
        trace = Trace(turn=turn_id(waiting[0]), conversation=conversation)
        structlog.contextvars.bind_contextvars(message=masked(waiting[0].id), conversation=conversation)
        async with AsyncExitStack() as indicators:
            attempt, waiting = await self._begin(lease, opening, trace, indicators)
            passing("turn: begun")
            batch = await self.intake.sort_out(conversation, waiting[: attempt.count], attempt)
            if not batch.speech:
                await self._remember(lease, batch, attempt, trace)
                return False
            turn, result = await self._answer(lease, batch, attempt, trace, indicators)
        return await self._close(lease, turn, result, trace)

    async def _begin(
        self, lease: Lease, opening: Opening, trace: Trace, indicators: AsyncExitStack
    ) -> tuple[TurnAttempt, list[Inbound]]:
        """Wait for a silence if a message asks for an answer, then fix the messages of the turn."""
        asking = [message for message in opening.waiting.messages if why_unanswered(message) is None]
        if asking and not opening.contact.quiet:
            await indicators.enter_async_context(self.typing.shown(asking[-1]))
        burst = Burst(self.settings.quiet_seconds)
        while True:
            if asking:
                with trace.station("quiet"):
                    await burst.silence(opening.waiting.messages[-1])
            whole = bool(asking) and not burst.is_over_at_length
            begun = await self.store.begin(lease, opening, whole=whole)
            if isinstance(begun, TurnAttempt):
                return begun, opening.waiting.messages
            opening = replace(opening, waiting=begun)

    async def _answer(
        self, lease: Lease, batch: MessageBatch, attempt: TurnAttempt, trace: Trace, indicators: AsyncExitStack
    ) -> tuple[TurnContext, TurnResult]:
        """Read the messages and answer them, while the customer sees typing dots."""
        free = frozenset(message.id for message in batch.speech if self.responder.by_code(message))
        admission = await self.intake.admit(lease.conversation, batch.speech, trace.turn, free)
        deadline = deadline_for(batch.speech, self.settings.deadline_seconds)
        if admission.admitted and not attempt.contact.quiet:
            say = partial(self.typing.announce_delay, lease, trace.turn, batch.speech, attempt)
            await indicators.enter_async_context(delay_notice(deadline.announce_after, say))
        due = asyncio.get_running_loop().time() + deadline.seconds
        turn = await self.intake.take_in(without_flood(batch, admission), attempt, admission, due, trace)
        return turn, await self.responder.answer(turn, trace, self.store.journal(lease, attempt, trace))

    async def _remember(self, lease: Lease, batch: MessageBatch, attempt: TurnAttempt, trace: Trace) -> None:
        """Close a turn whose messages ask for no answer."""
        await self.reporter.received(lease.conversation, batch, attempt.contact, {})
        summary_due = await self.store.keep(lease, batch, attempt.before)
        await self.reporter.remembered(batch, attempt, trace, summary_due=summary_due)

    async def _close(self, lease: Lease, turn: TurnContext, result: TurnResult, trace: Trace) -> bool:
        """Close the turn in one step, then send. The last message's record, trace and release are one step too."""
        passing("turn: closing")
        texts = {one.perceived.message: one.perceived.text for one in turn.perceived}
        await self.reporter.received(lease.conversation, turn.batch, turn.contact, texts)
        with trace.station("closing"):
            query = self.outbox.query(lease.conversation)
            summary_due, state = await self.store.close(lease, turn, result, trace, query)
        passing("turn: closed, nothing sent")
        started = time.perf_counter()

        def write(pipeline: Any, error: str | None) -> None:
            trace.note_duration("outbox", started)
            trace.error = trace.error or error
            self.reporter.put(pipeline, trace)

        last = LastWrite(write, turn.attempt.seen)
        sent = await self.outbox.send(lease, state, contact=turn.contact, last=last)
        if not last.is_done:
            error = next((one.error for one in sent if one.error), None)
            await last.write_with(self.leases, lease, lambda _: None, error)
        await self.reporter.closed(turn, trace, summary_due=summary_due)
        return last.released

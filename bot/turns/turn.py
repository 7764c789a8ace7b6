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
from bot.delivery.closing_commit import ClosingCommit
from bot.delivery.outbox import Outbox
from bot.infra.crash_points import passing
from bot.infra.logs import masked
from bot.messages.inbound import Inbound
from bot.settings import TurnSettings
from bot.turns.burst import Burst
from bot.turns.context import TurnAttempt, TurnContext, TurnResult, deadline_for, turn_id, without_flood
from bot.turns.preparation import TurnPreparation
from bot.turns.report import TurnReporter
from bot.turns.responder import Responder
from bot.turns.revisions import MessageBatch
from bot.turns.snapshot import ConversationSnapshot
from bot.turns.store import TurnStore
from bot.turns.trace import Trace
from bot.turns.typing_indicator import TypingIndicator, delay_notice


@dataclass(frozen=True, slots=True)
class TurnProcessor:
    leases: ConversationLeases
    store: TurnStore
    typing: TypingIndicator
    preparation: TurnPreparation
    responder: Responder
    outbox: Outbox
    reporter: TurnReporter
    settings: TurnSettings

    async def process(self, lease: Lease, snapshot: ConversationSnapshot) -> bool:
        """Process a turn with the waiting messages and those that come during the burst.

        True if the closing commit released the lease, because no message waits.
        """
        conversation, waiting = lease.conversation, snapshot.waiting.messages
        trace = Trace(turn=turn_id(waiting[0]), conversation=conversation)
        structlog.contextvars.bind_contextvars(message=masked(waiting[0].id), conversation=conversation)
        async with AsyncExitStack() as indicators:
            attempt, waiting = await self._begin(lease, snapshot, trace, indicators)
            trace.release = attempt.prompts.release
            passing("turn: begun")
            batch = await self.preparation.apply_changes(conversation, waiting[: attempt.count], attempt)
            if not batch.to_answer:
                await self._close_unanswered(lease, batch, attempt, trace)
                return False
            turn, result = await self._answer(lease, batch, attempt, trace, indicators)
        return await self._close(lease, turn, result, trace)

    async def _begin(
        self, lease: Lease, snapshot: ConversationSnapshot, trace: Trace, indicators: AsyncExitStack
    ) -> tuple[TurnAttempt, list[Inbound]]:
        """Wait for a silence if a message asks for an answer, then fix the messages of the turn."""
        asking = [message for message in snapshot.waiting.messages if why_unanswered(message) is None]
        if asking and not snapshot.contact.handed_off:
            await indicators.enter_async_context(self.typing.shown(asking[-1]))
        burst = Burst(self.settings.quiet_seconds)
        while True:
            if asking:
                with trace.station("quiet"):
                    await burst.silence(snapshot.waiting.messages[-1])
            require_all = bool(asking) and not burst.is_over_at_length
            begun = await self.store.begin(lease, snapshot, require_all=require_all)
            if isinstance(begun, TurnAttempt):
                return begun, snapshot.waiting.messages
            snapshot = replace(snapshot, waiting=begun)

    async def _answer(
        self, lease: Lease, batch: MessageBatch, attempt: TurnAttempt, trace: Trace, indicators: AsyncExitStack
    ) -> tuple[TurnContext, TurnResult]:
        """Read the messages and answer them, while the customer sees typing dots."""
        uncounted = frozenset(message.id for message in batch.to_answer if self.responder.is_for_code(message))
        admission = await self.preparation.admit(lease.conversation, batch.to_answer, trace.turn, uncounted)
        deadline = deadline_for(batch.to_answer, self.settings.deadline_seconds)
        if admission.admitted and not attempt.contact.handed_off:
            say = partial(self.typing.announce_delay, lease, trace.turn, batch.to_answer, attempt)
            await indicators.enter_async_context(delay_notice(deadline.announce_after, say))
        answer_by = asyncio.get_running_loop().time() + deadline.seconds
        turn = await self.preparation.prepare(without_flood(batch, admission), attempt, admission, answer_by, trace)
        return turn, await self.responder.answer(turn, trace, self.store.journal(lease, attempt, trace))

    async def _close_unanswered(self, lease: Lease, batch: MessageBatch, attempt: TurnAttempt, trace: Trace) -> None:
        """Close a turn whose messages ask for no answer."""
        await self.reporter.received(lease.conversation, batch, attempt.contact, {})
        summary_due = await self.store.close_unanswered(lease, batch, attempt.history)
        await self.reporter.closed_unanswered(batch, attempt, trace, summary_due=summary_due)

    async def _close(self, lease: Lease, turn: TurnContext, result: TurnResult, trace: Trace) -> bool:
        """Close the turn in one step, then send. The last message's record, trace and release are one step too."""
        passing("turn: closing")
        texts = {message.perceived.message: message.perceived.text for message in turn.perceived}
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

        closing = ClosingCommit(write, turn.attempt.listed_at)
        sent = await self.outbox.send(lease, state, contact=turn.contact, closing=closing)
        if not closing.is_done:
            error = next((outcome.error for outcome in sent if outcome.error), None)
            await closing.commit_with(self.leases, lease, lambda _: None, error)
        await self.reporter.closed(turn, trace, summary_due=summary_due)
        return closing.released

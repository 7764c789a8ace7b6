"""One turn of one conversation: wait for the burst to end, understand, think, close in one step, send."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import structlog

from bot.conversations.inbox import why_unanswered
from bot.conversations.lease import Lease
from bot.delivery.outbox import Outbox
from bot.infra.crash_points import passing
from bot.infra.logs import masked
from bot.messages.inbound import Inbound
from bot.turns.burst import BurstCollector
from bot.turns.context import TurnAttempt, TurnContext, TurnResult, deadline_for, turn_id, without_flood
from bot.turns.intake import Intake
from bot.turns.report import TurnReporter
from bot.turns.responder import Responder
from bot.turns.revisions import MessageBatch
from bot.turns.store import TurnStore
from bot.turns.trace import Trace
from bot.turns.typing_indicator import TypingIndicator, patience


@dataclass(frozen=True, slots=True)
class TurnProcessor:
    """`deadline_seconds` is the time until the customer must have an answer."""

    burst: BurstCollector
    store: TurnStore
    typing: TypingIndicator
    intake: Intake
    responder: Responder
    outbox: Outbox
    reporter: TurnReporter
    deadline_seconds: float

    async def take(self, lease: Lease, waiting: list[Inbound]) -> None:
        """One turn with these messages and those that come while the burst lasts; it needs the conversation's lease."""
        conversation = lease.conversation
        trace = Trace(turn=turn_id(waiting[0]), conversation=conversation)
        structlog.contextvars.bind_contextvars(message=masked(waiting[0].id), conversation=conversation)
        contact = await self.intake.contact(conversation)
        asking = [message for message in waiting if why_unanswered(message) is None]
        async with AsyncExitStack() as signs:
            if asking and not contact.quiet:
                await signs.enter_async_context(self.typing.shown(asking[-1]))
            if asking:
                with trace.station("quiet"):
                    waiting = await self.burst.collect(conversation, waiting)
            attempt = await self.store.begin(lease, len(waiting), contact)
            passing("turn: begun")
            batch = await self.intake.sort_out(conversation, waiting[: attempt.count], contact)
            if not batch.speech:
                await self._remember(lease, batch, attempt, trace)
                return
            turn, result = await self._answer(lease, batch, attempt, trace, signs)
        await self._close(lease, turn, result, trace)

    async def _answer(
        self, lease: Lease, batch: MessageBatch, attempt: TurnAttempt, trace: Trace, signs: AsyncExitStack
    ) -> tuple[TurnContext, TurnResult]:
        """Understand and think, while the signs tell the customer that somebody does."""
        free = frozenset(message.id for message in batch.speech if self.responder.by_code(message))
        admission = await self.intake.admit(lease.conversation, batch.speech, trace.turn, free)
        deadline = deadline_for(batch.speech, self.deadline_seconds)
        if admission.admitted and not attempt.contact.quiet:
            say = partial(self.typing.say_late, lease, trace.turn, batch.speech, attempt)
            await signs.enter_async_context(patience(deadline.announce_after, say))
        due = asyncio.get_running_loop().time() + deadline.seconds
        turn = await self.intake.take_in(without_flood(batch, admission), attempt, admission, due, trace)
        return turn, await self.responder.answer(turn, trace, self.store.journal(lease, attempt, trace))

    async def _remember(self, lease: Lease, batch: MessageBatch, attempt: TurnAttempt, trace: Trace) -> None:
        """Close a turn whose messages ask for no answer."""
        await self.reporter.received(lease.conversation, batch, attempt.contact, {})
        summary_due = await self.store.keep(lease, batch)
        await self.reporter.remembered(batch, attempt, trace, summary_due=summary_due)

    async def _close(self, lease: Lease, turn: TurnContext, result: TurnResult, trace: Trace) -> None:
        """Write all in one step, then send."""
        passing("turn: closing")
        texts = {one.perceived.message: one.perceived.text for one in turn.perceived}
        await self.reporter.received(lease.conversation, turn.batch, turn.contact, texts)
        with trace.station("closing"):
            summary_due = await self.store.close(lease, turn, result, trace)
        passing("turn: closed, nothing sent")
        with trace.station("outbox"):
            sent = await self.outbox.flush(lease)
        trace.error = trace.error or next((one.error for one in sent if one.error), None)
        await self.reporter.closed(turn, trace, summary_due=summary_due)

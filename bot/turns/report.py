"""Reports of a turn to subscribers, open pages, metrics and the canary."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.conversations.contacts import Contact
from bot.conversations.events import EventPublisher, event_id, person
from bot.history import stream
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import TURN_SECONDS, TURNS
from bot.infra.queues import JobScheduler
from bot.turns import trace as trace_store
from bot.turns.canary_recorder import CanaryRecorder
from bot.turns.context import TurnAttempt, TurnContext
from bot.turns.revisions import MessageBatch
from bot.turns.trace import Trace

_log = structlog.get_logger()


class TurnReporter:
    def __init__(
        self,
        events: LiveEvents,
        publisher: EventPublisher,
        canary_recorder: CanaryRecorder,
        scheduler: JobScheduler,
    ) -> None:
        self._events = events
        self._publisher = publisher
        self._canary_recorder = canary_recorder
        self._scheduler = scheduler

    async def received(
        self, conversation: str, batch: MessageBatch, contact: Contact, texts: Mapping[str, str]
    ) -> None:
        """Publish the messages to subscribers; `texts` are their perceived texts, by message id.

        This happens before the messages end, because a crash repeats a turn only until then.
        """
        for message in (written for written in batch.all if written.author == "person"):
            data = {
                "conversation": conversation,
                "message": message.id,
                "contact": person(contact, phone=message.phone, bsuid=message.bsuid),
                "type": message.content.kind,
                "text": texts.get(message.id),
                "at": message.sent_at.isoformat(),
            }
            await self._publisher.publish("message.received", data, event_id("message.received", message.id))

    async def closed_unanswered(
        self, batch: MessageBatch, attempt: TurnAttempt, trace: Trace, *, summary_due: bool
    ) -> None:
        """Report a turn whose messages asked for no answer."""
        if batch.ends:
            await self._events.publish(_noted(trace, batch))
        if summary_due:
            self._scheduler.summary(trace.conversation)
        await self._canary_recorder.record(attempt, batch.all, trace)

    def put(self, pipeline: Any, trace: Trace) -> None:
        """Give the trace of a turn to the history and to open pages, within the commit that closes the turn."""
        event = trace.event()
        self._events.put(pipeline, event)
        entry = trace_store.history_entry(trace, event)
        if entry.asked:
            self._events.put(pipeline, trace_store.asked_event(entry))
        stream.append(pipeline, entry)

    async def closed(self, turn: TurnContext, trace: Trace, *, summary_due: bool) -> None:
        """Report a closed turn."""
        outcome = trace.outcome or "failed"
        TURNS.labels(outcome).inc()
        first = min(message.received_at for message in turn.messages)
        TURN_SECONDS.observe((datetime.now(UTC) - first).total_seconds())
        _log.info(
            "turn_closed",
            outcome=outcome,
            messages=len(turn.messages),
            parts=len(trace.reply),
            cost_usd=f"{trace.cost_usd:f}",
        )
        await self._canary_recorder.record(turn.attempt, turn.batch.all, trace)
        if turn.batch.ends:
            await self._events.publish(_noted(trace, turn.batch))
        if summary_due:
            self._scheduler.summary(turn.conversation)


def _noted(trace: Trace, batch: MessageBatch) -> dict[str, Any]:
    """Messages that were remembered or applied, and got no answer: reactions, edits, revocations, a colleague's."""
    found = [{"message": wamid, "kind": end["type"], "state": end["state"]} for wamid, end in batch.ends.items()]
    at = trace.started_at.isoformat()
    return {"type": "noted", "turn": trace.turn, "conversation": trace.conversation, "at": at, "messages": found}

"""One turn of one conversation: wait for the burst to end, understand, think, close in one step, send."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from pydantic import ConfigDict, TypeAdapter, ValidationError
from redis.asyncio import Redis

from bot.agent.loop import Journal, ModelStep, ToolResult
from bot.conversations import choices, dead_letters, inbox, ledger, memory
from bot.conversations.contacts import Contact, Contacts
from bot.conversations.dead_letters import DeadLetters
from bot.conversations.events import EventPublisher, event_id, person
from bot.conversations.lease import ConversationLeases, Lease, lease_key
from bot.conversations.memory import HistoryEntry, Memory
from bot.conversations.rate_limit import Admission, MessageRateLimit
from bot.conversations.turn_state import turn_keys
from bot.delivery import outbox
from bot.delivery.outbox import Outbox
from bot.infra.crash_points import passing
from bot.infra.live_events import LiveEvents
from bot.infra.logs import masked
from bot.infra.metrics import TURN_SECONDS, TURNS
from bot.infra.queues import JobScheduler
from bot.infra.redis import answer, key
from bot.media.cache import note_media
from bot.media.understanding import MediaPerception, PerceivedMessage, unlooked_at
from bot.messages.inbound import Inbound
from bot.messages.language import language_from, language_of
from bot.messages.outbound import Say
from bot.messages.phrases import phrase
from bot.messages.prompt_text import typed, words
from bot.prompting.library import Library
from bot.settings import ServiceSettings, TurnSettings
from bot.turns.canary import CanaryRecorder
from bot.turns.context import (
    Deadline,
    TurnAttempt,
    TurnContext,
    TurnResult,
    addressed,
    deadline_for,
    ends_of,
    name_of,
    set_aside,
    within,
)
from bot.turns.reply import composed
from bot.turns.responder import Responder
from bot.turns.revisions import MessageBatch, MessageRevisions
from bot.turns.trace import Trace
from bot.turns.typing_indicator import patience, typing
from bot.whatsapp.client import Graph

_log = structlog.get_logger()

# A burst that never ends is cut here, so that a chatterbox gets an answer too.
_LONGEST_BURST_SECONDS = 8.0
_TRACES = 20
_TRACE_SECONDS = 7 * 24 * 3600

# One holder of the lease makes one try, however often it asks. KEYS 1 lease, 2 turn, 3 journal. ARGV 2 how many wait,
# 3 release of the prompts.
_BEGIN = f"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSETNX', KEYS[2], 'count', ARGV[2])
redis.call('HSETNX', KEYS[2], 'release', ARGV[3])
if redis.call('HGET', KEYS[2], 'holder') ~= ARGV[1] then
  redis.call('HSET', KEYS[2], 'holder', ARGV[1])
  redis.call('HINCRBY', KEYS[2], 'tries', 1)
end
for index = 2, 3 do redis.call('EXPIRE', KEYS[index], {ledger.KEEP_SECONDS}) end
local count, tries, release = unpack(redis.call('HMGET', KEYS[2], 'count', 'tries', 'release'))
return {{count, tries, release, redis.call('LRANGE', KEYS[3], 0, -1)}}
"""

_entry: TypeAdapter[ModelStep | ToolResult] = TypeAdapter(
    ModelStep | ToolResult, config=ConfigDict(hide_input_in_errors=True)
)


@dataclass(frozen=True, slots=True)
class Stations:
    """Everything that a turn passes through, made once by the worker."""

    redis: Redis
    leases: ConversationLeases
    contacts: Contacts
    memory: Memory
    library: Library
    rate: MessageRateLimit
    perception: MediaPerception
    responder: Responder
    outbox: Outbox
    records: MessageRevisions
    events: LiveEvents
    graph: Graph
    scheduler: JobScheduler
    dead_letters: DeadLetters
    subscribers: EventPublisher
    canary_recorder: CanaryRecorder


class TurnProcessor:
    def __init__(self, stations: Stations, turn: TurnSettings, service: ServiceSettings) -> None:
        self._at = stations
        self._turn = turn
        self._service = service

    async def take(self, lease: Lease, waiting: list[Inbound]) -> None:
        """One turn with these messages and those that come while the burst lasts; it needs the conversation's lease."""
        conversation = lease.conversation
        first = waiting[0]
        trace = Trace(turn=name_of(first), conversation=conversation)
        structlog.contextvars.bind_contextvars(message=masked(first.id), conversation=conversation)
        contact = await self._at.contacts.get(conversation)
        asking = [message for message in waiting if inbox.why_unanswered(message) is None]
        async with AsyncExitStack() as presence:
            if asking and not contact.quiet:
                await presence.enter_async_context(typing(self._at.graph, asking[-1]))
            if asking:
                with trace.station("quiet"):
                    waiting = await self._burst(conversation, waiting)
            attempt = await self._begin(lease, len(waiting))
            passing("turn: begun")
            batch = await self._at.records.sort_out(conversation, waiting[: attempt.count], contact.earlier)
            if not batch.speech:
                await self._tell_received(conversation, batch, contact, {})
                await self._remember(lease, batch)
                await self._at.canary_recorder.note(attempt, batch.all, trace)
                return
            free = frozenset(message.id for message in batch.speech if self._at.responder.by_code(message))
            admission = await self._at.rate.admit(conversation, batch.speech, trace.turn, free)
            deadline = deadline_for(batch.speech, self._turn.deadline_seconds)
            if admission.admitted and not contact.quiet:
                say = partial(self._still_on_it, lease, trace.turn, batch.speech, contact)
                await presence.enter_async_context(patience(deadline.announce_after, say))
            turn_context = await self._look(
                conversation, within(batch, admission), contact, attempt, admission, deadline, trace
            )
            journal = Journal(attempt.journal, lambda entry: self._write_down(lease, entry, trace))
            outcome = await self._at.responder.answer(turn_context, trace, journal)
        passing("turn: closing")
        heard = {sight.perceived.message: sight.perceived.text for sight in turn_context.sights}
        await self._tell_received(conversation, batch, turn_context.contact, heard)
        with trace.station("closing"):
            summary_due = await self._close(lease, turn_context, outcome, trace)
        passing("turn: closed, nothing sent")
        with trace.station("outbox"):
            sent = await self._at.outbox.flush(lease)
        trace.error = trace.error or next((one.error for one in sent if one.error), None)
        await self._finish(turn_context, trace)
        await self._at.canary_recorder.note(attempt, batch.all, trace)
        if summary_due:
            self._at.scheduler.summary(conversation)

    async def _look(  # noqa: PLR0913, PLR0917 - what is known by then of a turn
        self,
        conversation: str,
        batch: MessageBatch,
        contact: Contact,
        attempt: TurnAttempt,
        admission: Admission,
        deadline: Deadline,
        trace: Trace,
    ) -> TurnContext:
        """Understand what was sent, as far as it may be touched, and recall what was said before."""
        messages = batch.speech
        due = asyncio.get_running_loop().time() + deadline.seconds
        trace.messages = [message.id for message in messages]
        if attempt.given_up or not admission.admitted:
            # Nor is a flood touched.
            sights = [unlooked_at(message) for message in messages]
        else:
            sights = await self._perceive(conversation, messages, contact, trace, due)
            passing("turn: perceived")
        with trace.station("memory"):
            before = await self._at.memory.recall(conversation)
        words = " ".join(sight.perceived.words for sight in sights)
        language = language_of(words) or language_from(contact.language, self._service.default_language)
        contact = await self._at.contacts.saw(conversation, messages, language, contact)
        heard = {sight.perceived.message: sight.perceived.text for sight in sights}
        lines = self._at.records.lines(batch, heard) if admission.admitted else []
        return TurnContext(conversation, batch, sights, lines, language, contact, before, attempt, admission, due)

    async def _still_on_it(self, lease: Lease, turn: str, messages: list[Inbound], contact: Contact) -> None:
        """Say, once a turn, that the answer takes longer."""
        kept, _ = turn_keys(lease.conversation)
        if await answer(self._at.redis.hget(kept, "still")):
            return
        # Said before all is understood: by what was typed, as far as it tells.
        language = language_of(" ".join(map(typed, messages))) or language_from(
            contact.language, self._service.default_language
        )
        said = Say(body=phrase("still_on_it", language))
        reply = addressed(f"{turn}-still", (said,), messages[-1], contact)

        def write(pipeline: Any) -> None:
            pipeline.hset(kept, "still", "1")
            outbox.put(pipeline, lease.conversation, reply)

        await self._at.leases.commit(lease, write)
        await self._at.outbox.flush(lease)

    async def _remember(self, lease: Lease, batch: MessageBatch) -> None:
        summary_due = await self._at.records.keep(lease, batch, done_with=turn_keys(lease.conversation))
        if summary_due:
            self._at.scheduler.summary(lease.conversation)

    async def _tell_received(
        self, conversation: str, batch: MessageBatch, contact: Contact, heard: dict[str, str]
    ) -> None:
        """Before the messages have their end: until then a turn is done again after a crash, and tells them again."""
        for message in (one for one in batch.all if one.author == "person"):
            data = {
                "conversation": conversation,
                "message": message.id,
                "contact": person(contact, phone=message.phone, bsuid=message.bsuid),
                "type": message.content.kind,
                "text": heard.get(message.id),
                "at": message.sent_at.isoformat(),
            }
            await self._at.subscribers.tell("message.received", data, event_id("message.received", message.id))

    async def _burst(self, conversation: str, waiting: list[Inbound]) -> list[Inbound]:
        """Wait until nobody has written for a while; every message that comes starts that while anew."""
        until = time.monotonic() + _LONGEST_BURST_SECONDS
        while True:
            quiet = (datetime.now(UTC) - waiting[-1].received_at).total_seconds()
            pause = min(self._turn.quiet_seconds - quiet, until - time.monotonic())
            if pause <= 0:
                return waiting
            await asyncio.sleep(pause)
            waiting = await self._at.leases.waiting(conversation)

    async def _begin(self, lease: Lease, waiting: int) -> TurnAttempt:
        """Fix which messages and prompts this turn has; a try after a crash takes up the same, and what was done."""
        standing, prompts = await self._at.library.begin(lease.conversation)
        keys = (lease_key(lease.conversation), *turn_keys(lease.conversation))
        found = await self._at.leases.ask(lease, _BEGIN, keys, [str(waiting), prompts.release])
        count, tries, release, entries = found
        if release != prompts.release:
            prompts = await self._at.library.at(release) or prompts
        structlog.contextvars.bind_contextvars(release=prompts.release)
        try:
            journal = tuple(_entry.validate_json(entry) for entry in entries)
        except ValidationError:
            # Going on without it would do again what it tells of.
            _log.error("journal_unreadable", fix="was an older Recado started again on newer data?")
            return TurnAttempt(int(count), int(tries), (), prompts, standing, lost=True)
        return TurnAttempt(int(count), int(tries), journal, prompts, standing)

    async def _perceive(
        self, conversation: str, messages: list[Inbound], contact: Contact, trace: Trace, due: float
    ) -> list[PerceivedMessage]:
        # Half of what is left is for understanding; the model needs the other half.
        seconds = max((due - asyncio.get_running_loop().time()) / 2, 1)
        with trace.station("perception"):
            language = language_from(contact.language, None)
            messages = await choices.in_full(self._at.redis, (conversation, *contact.earlier), messages)
            sights = await self._at.perception.perceive(conversation, messages, language, seconds)
        trace.saw([sight.perceived for sight in sights])
        return sights

    async def _write_down(self, lease: Lease, entry: ModelStep | ToolResult, trace: Trace) -> None:
        if isinstance(entry, ToolResult):
            trace.tools.append(entry)
        _, journal = turn_keys(lease.conversation)
        # Under the lease: whoever lost it would write into the next turn's journal, which would be answered by it.
        await self._at.leases.commit(lease, lambda pipeline: pipeline.rpush(journal, entry.model_dump_json()))

    async def _close(self, lease: Lease, turn_context: TurnContext, outcome: TurnResult, trace: Trace) -> bool:
        """All at once or nothing: the reply is in the outbox, the memory is longer, every message has its end."""
        parts = composed(outcome.text, outcome.offered)
        trace.reply = [words(part) for part in parts]
        trace.outcome = outcome.state.partition(":")[0]
        reply = addressed(trace.turn, parts, turn_context.messages[-1], turn_context.contact) if parts else None
        new = [*turn_context.lines]
        if reply:
            new.append(HistoryEntry(role="assistant", text="\n".join(trace.reply), at=datetime.now(UTC)))
        ends = ends_of(turn_context.messages, outcome, trace.turn)
        failed = trace.outcome == "failed"
        if failed:
            await self._at.dead_letters.note(turn_context.conversation)
        summary_due = False

        def write(pipeline: Any) -> None:
            nonlocal summary_due
            if reply:
                choices.keep(pipeline, turn_context.conversation, outcome.offered)
                outbox.put(pipeline, turn_context.conversation, reply)
            before = self._at.records.write(
                pipeline, turn_context.conversation, turn_context.batch, turn_context.before
            )
            summary_due = self._at.memory.extend(pipeline, turn_context.conversation, before, new)
            for message, sight in zip(turn_context.messages, turn_context.sights, strict=True):
                text = sight.perceived.text
                memory.quotable(pipeline, turn_context.conversation, message.id, text, self._at.memory.ttl_seconds)
                note_media(pipeline, turn_context.conversation, message)
            ledger.end(pipeline, turn_context.conversation, ends)
            if failed:
                dead_letters.put(pipeline, turn_context.conversation, set_aside(turn_context, trace, outcome))
            pipeline.delete(*turn_keys(turn_context.conversation))

        await self._at.leases.commit(lease, write)
        ledger.ended(ends | turn_context.batch.ends)
        return summary_due

    async def _finish(self, turn_context: TurnContext, trace: Trace) -> None:
        outcome = trace.outcome or "failed"
        TURNS.labels(outcome).inc()
        first = min(message.received_at for message in turn_context.messages)
        TURN_SECONDS.observe((datetime.now(UTC) - first).total_seconds())
        event = trace.event()
        pipeline = self._at.redis.pipeline(transaction=True)
        pipeline.lpush(key(turn_context.conversation, "turns"), TypeAdapter(dict).dump_json(event).decode())
        pipeline.ltrim(key(turn_context.conversation, "turns"), 0, _TRACES - 1)
        pipeline.expire(key(turn_context.conversation, "turns"), _TRACE_SECONDS)
        self._at.events.put(pipeline, event)
        await pipeline.execute()
        _log.info(
            "turn_closed",
            outcome=outcome,
            messages=len(turn_context.messages),
            parts=len(trace.reply),
            cost_usd=f"{trace.cost_usd:f}",
        )

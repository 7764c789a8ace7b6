"""One turn of one conversation: wait for the burst to end, understand, think, close in one step, send."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import structlog
from pydantic import ConfigDict, TypeAdapter
from redis.asyncio import Redis

from bot import inbox, ledger, memory, outbox
from bot.agent import Agent, Done, Journal, Step
from bot.ai.chat import FromModel, FromPerson, Instructions, Line, NoModelAnswered, Question
from bot.confirmations import Answered, Confirmations
from bot.contacts import Contact, Contacts
from bot.events import Events
from bot.handoff import HandOff
from bot.inbox import Desk, Lease
from bot.language import Language, language_of
from bot.logs import masked
from bot.memory import Memory, Recollection, Remembered
from bot.messages import Inbound, Part, Reply
from bot.metrics import TURN_SECONDS, TURNS
from bot.notices import Notices
from bot.outbox import Outbox
from bot.payments.billing import Billing
from bot.perception import Perception, Sight, fenced, note_media, unlooked_at
from bot.phrases import phrase
from bot.presence import typing
from bot.prompting.business import Business
from bot.prompting.prompts import Prompts
from bot.queues import Nudges
from bot.reception import Reception
from bot.records import Batch, Records
from bot.redis import answer, key
from bot.replies import composed, words
from bot.settings import ServiceSettings, TurnSettings
from bot.tools.tool import ToolContext
from bot.trace import Trace
from bot.verification import Verification
from bot.whatsapp.client import Graph

_log = structlog.get_logger()

# A burst that never ends is cut here, so that a chatterbox gets an answer too.
_LONGEST_BURST_SECONDS = 8.0
# Kept of the deadline for handing the reply to Meta.
_SENDING_SECONDS = 3.0
_TRIES = 5
_PICTURES = 4
_TRACES = 20
_TRACE_SECONDS = 7 * 24 * 3600
_NAME_LENGTH = 60

_entry: TypeAdapter[Step | Done] = TypeAdapter(Step | Done, config=ConfigDict(hide_input_in_errors=True))


@dataclass(frozen=True, slots=True)
class Stations:
    """Everything that a turn passes through, made once by the worker."""

    redis: Redis
    desk: Desk
    contacts: Contacts
    memory: Memory
    perception: Perception
    agent: Agent
    outbox: Outbox
    handoff: HandOff
    records: Records
    reception: Reception
    confirmations: Confirmations
    events: Events
    graph: Graph
    nudges: Nudges
    notices: Notices
    prompts: Prompts
    business: Business
    billing: Billing | None = None
    verification: Verification | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn that is under way: which messages it has (the first `count`), and what earlier tries did."""

    count: int
    tries: int
    journal: tuple[Step | Done, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ends: what is said, and the end state of its messages."""

    text: str
    state: str
    offered: tuple[Part, ...] = ()


class Turns:
    def __init__(self, stations: Stations, turn: TurnSettings, service: ServiceSettings) -> None:
        self._at = stations
        self._turn = turn
        self._service = service

    async def take(self, lease: Lease, waiting: list[Inbound]) -> None:
        """One turn with these messages and those that come while the burst lasts; it needs the conversation's lease."""
        conversation = lease.conversation
        first = waiting[0]
        trace = Trace(turn=f"t_{masked(first.id)}", conversation=conversation)
        structlog.contextvars.bind_contextvars(message=masked(first.id), conversation=conversation)
        contact = await self._at.contacts.get(conversation)
        asking = [message for message in waiting if inbox.why_unanswered(message) is None]
        async with nullcontext() if contact.quiet or not asking else typing(self._at.graph, asking[-1]):
            if asking:
                with trace.station("quiet"):
                    waiting = await self._burst(conversation, waiting)
            begun = await self._begin(conversation, len(waiting))
            batch = await self._at.records.sort_out(conversation, waiting[: begun.count], contact.earlier)
            messages = batch.speech
            if not messages:
                await self._remember(lease, batch)
                return
            due = asyncio.get_running_loop().time() + self._left(messages)
            trace.messages = [message.id for message in messages]
            if begun.tries > _TRIES:
                # Whatever makes this turn fail may be in what was sent: it is not touched again.
                sights = [unlooked_at(message) for message in messages]
            else:
                sights = await self._perceive(conversation, messages, contact, trace, due)
            with trace.station("memory"):
                before = await self._at.memory.recall(conversation)
            words = " ".join(sight.perceived.words for sight in sights)
            language = language_of(words) or _language(contact, self._service.default_language)
            contact = await self._at.contacts.saw(conversation, messages, language, contact)
            lines = self._at.records.lines(batch, {sight.perceived.message: sight.perceived.text for sight in sights})
            scene = _Scene(conversation, batch, sights, lines, language, contact, before, begun, due)
            outcome = await self._answer(scene, trace)
        with trace.station("closing"):
            summary_due = await self._close(lease, scene, outcome, trace)
        with trace.station("outbox"):
            sent = await self._at.outbox.flush(lease)
        trace.error = trace.error or next((one.error for one in sent if one.error), None)
        await self._finish(scene, trace)
        if summary_due:
            self._at.nudges.summary(conversation)

    async def _remember(self, lease: Lease, batch: Batch) -> None:
        summary_due = await self._at.records.keep(lease, batch, done_with=_turn_keys(lease.conversation))
        if summary_due:
            self._at.nudges.summary(lease.conversation)

    async def _burst(self, conversation: str, waiting: list[Inbound]) -> list[Inbound]:
        """Wait until nobody has written for a while; every message that comes starts that while anew."""
        until = time.monotonic() + _LONGEST_BURST_SECONDS
        while True:
            quiet = (datetime.now(UTC) - waiting[-1].received_at).total_seconds()
            pause = min(self._turn.quiet_seconds - quiet, until - time.monotonic())
            if pause <= 0:
                return waiting
            await asyncio.sleep(pause)
            waiting = await self._at.desk.waiting(conversation)

    async def _begin(self, conversation: str, waiting: int) -> Begun:
        """Fix which messages this turn has; a try after a crash takes up the same ones, and what was done."""
        pipeline = self._at.redis.pipeline(transaction=True)
        turn, journal = _turn_keys(conversation)
        pipeline.hsetnx(turn, "count", str(waiting))
        pipeline.hincrby(turn, "tries", 1)
        pipeline.hget(turn, "count")
        pipeline.lrange(journal, 0, -1)
        for name in (turn, journal):
            pipeline.expire(name, ledger.KEEP_SECONDS)
        _, tries, taken, entries, *_ = await pipeline.execute()
        return Begun(int(taken), int(tries), tuple(_entry.validate_json(entry) for entry in entries))

    async def _perceive(
        self, conversation: str, messages: list[Inbound], contact: Contact, trace: Trace, due: float
    ) -> list[Sight]:
        # Half of what is left is for understanding; the model needs the other half.
        seconds = max((due - asyncio.get_running_loop().time()) / 2, 1)
        with trace.station("perception"):
            language = _language(contact, None)
            sights = await self._at.perception.perceive(conversation, messages, language, seconds)
        trace.saw([sight.perceived for sight in sights])
        return sights

    async def _answer(self, scene: _Scene, trace: Trace) -> Outcome:
        if scene.begun.tries > _TRIES:
            trace.error = f"gave up after {_TRIES} tries"
            return Outcome(phrase("no_answer", scene.language), f"failed: gave up after {_TRIES} tries")
        contact = scene.contact
        received = await self._at.reception.receive(scene.conversation, scene.messages, contact, scene.language)
        # A turn that called the person itself, and then lost its worker, still owes its answer.
        if received.too_late or (contact.quiet and not scene.begun.journal):
            return Outcome("", "handed_off")
        tapped = await self._at.confirmations.settle(scene.conversation, scene.messages, contact, scene.language)
        if received.complete or len(tapped.messages) == len(scene.messages):
            return Outcome(received.before(tapped.text), "answered", tapped.parts)
        troubles = [sight.perceived.trouble for sight in scene.sights]
        if all(troubles):
            # Nothing was understood, so there is nothing to think about: no model may make something up.
            phrases = dict.fromkeys(phrase(trouble, scene.language) for trouble in troubles if trouble)
            return Outcome(received.before("\n\n".join(phrases)), "answered")
        await self._at.events.publish(trace.event())
        with trace.station("agent"):
            outcome = await self._think(scene, trace, tapped)
        if not contact.quiet and await self._at.contacts.paused(scene.conversation):
            # A colleague answered from the app while the model thought: two answers would contradict each other.
            return Outcome("", "handed_off")
        text = "\n\n".join(filter(None, (tapped.text, outcome.text)))
        return replace(outcome, text=received.before(text), offered=(*tapped.parts, *outcome.offered))

    async def _think(self, scene: _Scene, trace: Trace, tapped: Answered) -> Outcome:
        now = datetime.now(self._service.zone)
        values = {
            "business": {"name": self._at.business.name},
            "customer_name": " ".join((scene.messages[-1].name or scene.contact.name or "").split())[:_NAME_LENGTH],
            "language": scene.language,
            "now": now.strftime("%Y-%m-%d %H:%M (%A)"),
            "summary": scene.before.summary,
        }
        trace.prompt = self._at.prompts.render("assistant", values)
        deadline = max(scene.due - _SENDING_SECONDS, asyncio.get_running_loop().time() + 1)
        said = _words(scene, tapped)
        question = Question((Instructions(trace.prompt.text), *_history(scene.before), said), deadline)
        context = ToolContext(
            conversation=scene.conversation,
            contact=scene.contact,
            now=now,
            business=self._at.business,
            handoff=self._at.handoff,
            notices=self._at.notices,
            billing=self._at.billing,
            verification=self._at.verification,
            effect=trace.turn,
        )
        journal = Journal(scene.begun.journal, lambda entry: self._write_down(scene.conversation, entry, trace))
        trace.tools = [entry for entry in scene.begun.journal if isinstance(entry, Done)]
        try:
            thought = await self._at.agent.think(question, context, journal, trace.book)
        except NoModelAnswered as error:
            trace.error = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
            _log.error("no_model_answered", why=trace.error, fix="see `recado doctor` and OpenRouter's status")
            # What a tool offers to tap says enough; a model that then stays silent is no failure.
            if offered := tuple(part for done in trace.tools for part in done.parts):
                return Outcome("", "answered", offered)
            called = any(done.name == "talk_to_a_person" and done.outcome == "ok" for done in trace.tools)
            text = phrase("handed_off" if called else "no_answer", scene.language)
            return Outcome(text, "answered" if called else "failed: no model answered")
        return Outcome(thought.text, "answered", thought.offered)

    async def _write_down(self, conversation: str, entry: Step | Done, trace: Trace) -> None:
        if isinstance(entry, Done):
            trace.tools.append(entry)
        await answer(self._at.redis.rpush(_turn_keys(conversation)[1], entry.model_dump_json()))

    async def _close(self, lease: Lease, scene: _Scene, outcome: Outcome, trace: Trace) -> bool:
        """All at once or nothing: the reply is in the outbox, the memory is longer, every message has its end."""
        parts = composed(outcome.text, outcome.offered)
        trace.reply = [words(part) for part in parts]
        trace.outcome = outcome.state.partition(":")[0]
        reply = _reply(scene, trace.turn, parts)
        new = [*scene.lines]
        if reply:
            new.append(Remembered(role="assistant", text="\n".join(trace.reply), at=datetime.now(UTC)))
        ends = _ends(scene.messages, outcome.state, trace.turn)
        summary_due = False

        def write(pipeline: Any) -> None:
            nonlocal summary_due
            if reply:
                outbox.put(pipeline, scene.conversation, reply)
            before = self._at.records.write(pipeline, scene.conversation, scene.batch, scene.before)
            summary_due = self._at.memory.extend(pipeline, scene.conversation, before, new)
            for message, sight in zip(scene.messages, scene.sights, strict=True):
                text = sight.perceived.text
                memory.quotable(pipeline, scene.conversation, message.id, text, self._at.memory.ttl_seconds)
                note_media(pipeline, scene.conversation, message)
            ledger.end(pipeline, scene.conversation, ends)
            pipeline.delete(*_turn_keys(scene.conversation))

        await self._at.desk.commit(lease, write)
        ledger.ended(ends | scene.batch.ends)
        return summary_due

    async def _finish(self, scene: _Scene, trace: Trace) -> None:
        outcome = trace.outcome or "failed"
        TURNS.labels(outcome).inc()
        first = min(message.received_at for message in scene.messages)
        TURN_SECONDS.observe((datetime.now(UTC) - first).total_seconds())
        event = trace.event()
        pipeline = self._at.redis.pipeline(transaction=True)
        pipeline.lpush(key(scene.conversation, "turns"), TypeAdapter(dict).dump_json(event).decode())
        pipeline.ltrim(key(scene.conversation, "turns"), 0, _TRACES - 1)
        pipeline.expire(key(scene.conversation, "turns"), _TRACE_SECONDS)
        self._at.events.put(pipeline, event)
        await pipeline.execute()
        _log.info(
            "turn_closed",
            outcome=outcome,
            messages=len(scene.messages),
            parts=len(trace.reply),
            prompt=trace.prompt.version if trace.prompt else None,
            cost_usd=f"{trace.cost_usd:f}",
        )

    def _left(self, messages: list[Inbound]) -> float:
        """Seconds until the customer must have an answer; when that is past already, after an outage, half anew."""
        first = min(message.received_at for message in messages)
        left = self._turn.deadline_seconds - (datetime.now(UTC) - first).total_seconds()
        return left if left > 0 else self._turn.deadline_seconds / 2


@dataclass(frozen=True, slots=True)
class _Scene:
    """What one turn is about, gathered before it is thought over."""

    conversation: str
    batch: Batch
    sights: list[Sight]
    lines: list[Remembered]
    language: Language
    contact: Contact
    before: Recollection
    begun: Begun
    due: float

    @property
    def messages(self) -> list[Inbound]:
        """Those that ask for an answer."""
        return self.batch.speech


def _history(before: Recollection) -> list[Line]:
    """What was said, as a dialogue: lines that one side said in a row are one."""
    spoken = groupby((*before.fallen, *before.recent), key=lambda item: item.role)
    texts = ((role, "\n".join(item.text for item in items)) for role, items in spoken)
    return [FromPerson(text) if role == "user" else FromModel(text) for role, text in texts]


def _words(scene: _Scene, tapped: Answered) -> FromPerson:
    pictures = tuple(sight.picture for sight in scene.sights if sight.picture)
    said = "\n".join(line.text for line in scene.lines if line.role == "user")
    if tapped.text:
        said += "\n" + fenced("tap_settled", told=tapped.text)
    return FromPerson(said, pictures[:_PICTURES])


def _reply(scene: _Scene, turn: str, parts: tuple[Part, ...]) -> Reply | None:
    if not parts:
        return None
    newest = scene.messages[-1]
    return Reply(
        id=turn,
        parts=parts,
        phone=newest.phone or scene.contact.phone,
        bsuid=newest.bsuid or scene.contact.bsuid,
        phone_number_id=newest.phone_number_id,
    )


def _ends(messages: list[Inbound], state: str, turn: str) -> dict[str, dict[str, str]]:
    """The newest message carries the turn's end state, the others are merged into it; all of them when it failed."""
    newest = messages[-1]
    return {
        message.id: {
            "state": "merged" if message is not newest and state == "answered" else state,
            "type": message.content.kind,
            "received_at": message.received_at.isoformat(),
            "turn": turn,
        }
        for message in messages
    }


def _language(contact: Contact, default: Language | None) -> Any:
    return contact.language if contact.language in ("es", "en") else default


def _turn_keys(conversation: str) -> tuple[str, str]:
    return key(conversation, "turn"), key(conversation, "journal")

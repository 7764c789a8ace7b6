"""Sends the replies of a conversation in order, and each part once, as Meta's rules and the person allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.conversations import ledger, quotable
from bot.conversations.assignment import ConversationTaken, permit_key
from bot.conversations.contacts import Contact
from bot.conversations.lease import ConversationLeases, Lease
from bot.conversations.memory import Memory
from bot.delivery import reply_queue
from bot.delivery.closing_commit import ClosingCommit
from bot.delivery.failures import DeliveryFailures
from bot.delivery.noted import note_sent, note_unsent
from bot.delivery.outbox_state import OutboxState, QueuedReply, Sent, outbox_state
from bot.delivery.pause import FIX, SendingPause
from bot.delivery.policy import SendLater, SendPermission, SendPolicy
from bot.delivery.reporter import DeliveryReporter
from bot.delivery.sender import MessageSender, OutgoingMessage
from bot.delivery.statuses import DUE, DeliveryStatuses, delivery, failures
from bot.delivery.uploads import NotSendable
from bot.infra import queues
from bot.infra.crash_points import passing
from bot.infra.queries import Query, ask
from bot.messages.outbound import Part, Reply, Template
from bot.messages.prompt_text import part_text
from bot.whatsapp.errors import GraphError, MetaUnavailable, Remedy
from bot.whatsapp.templates.registry import TemplateNotSendable

_log = structlog.get_logger()
# If the delayed job is lost, the sweep resends this much later.
_SLACK_SECONDS = 5.0
# A reply that waits for the person expires after this time, because it answers nothing any more.
WAIT_SECONDS = 14 * 24 * 3600

_WITHDRAWN = "not sent: an operator or a colleague has the conversation"


@dataclass(frozen=True, slots=True)
class Outbox:
    """Replies of conversations on their way to Meta."""

    redis: Redis
    leases: ConversationLeases
    statuses: DeliveryStatuses
    sender: MessageSender
    failures: DeliveryFailures
    policy: SendPolicy
    reporter: DeliveryReporter
    memory: Memory

    @property
    def pause(self) -> SendingPause:
        return self.failures.pause

    def query(self, conversation: str) -> Query[OutboxState]:
        """Query for a conversation's waiting replies, its failures and its due time, and for the pause of sending."""
        commands = (
            ("LRANGE", reply_queue.replies_key(conversation), 0, -1),
            ("LRANGE", failures(conversation), 0, -1),
            ("ZSCORE", DUE, conversation),
            ("HGETALL", reply_queue.progress_key(conversation)),
        )
        return Query((*commands, *SendingPause.commands), outbox_state)

    async def flush(self, lease: Lease) -> list[Sent]:
        """Send all that waits in the conversation. Needs the lease, which keeps the order."""
        return await self.send(lease, await ask(self.redis, self.query(lease.conversation)))

    async def send(
        self, lease: Lease, state: OutboxState, *, contact: Contact | None = None, closing: ClosingCommit | None = None
    ) -> list[Sent]:
        """Send the replies of `state`; a known `contact` saves a read.

        `closing` is committed together with the record of the last message.
        """
        name = lease.conversation
        if state.failed:
            await self.failures.handle_reported(lease, state.failed)
            state = replace(await ask(self.redis, self.query(name)), listed_at=state.listed_at)
        replies = await self._readable(lease, state.waiting)
        if replies and state.paused:
            await self.statuses.later(name, 0)
            why = f"sending is paused: {state.paused['why']}; {FIX}"
            return [Sent(replies[0][0], "later", why)]
        outcomes = await self._send_all(lease, replies, state, contact, closing) if replies else []
        if not any(outcome.state == "later" for outcome in outcomes):
            until = min((outcome.until for outcome in outcomes if outcome.until), default=None)
            await (
                self.statuses.wait(name, state.listed_at, until) if until else self.statuses.done(name, state.listed_at)
            )
        return outcomes

    async def _readable(self, lease: Lease, waiting: list[str]) -> list[tuple[Reply, str]]:
        """Parse the replies, each with its stored form. One that this version of Recado can't read is moved away."""
        found = []
        for raw in waiting:
            try:
                found.append((Reply.model_validate_json(raw), raw))
            except ValidationError:
                _log.error("reply_unreadable", fix="was an older Recado started again on newer data?")
                await self.leases.commit(lease, partial(reply_queue.move_unreadable, lease.conversation, raw))
        return found

    async def _send_all(
        self,
        lease: Lease,
        waiting: list[tuple[Reply, str]],
        state: OutboxState,
        contact: Contact | None,
        closing: ClosingCommit | None,
    ) -> list[Sent]:
        outcomes: list[Sent] = []
        contact = await self.policy.contact(lease.conversation, contact)
        for number, (reply, raw) in enumerate(waiting, 1):
            queued = QueuedReply(reply, raw, state.done, closing if number == len(waiting) else None)
            try:
                outcome = await self._send(lease, queued, contact)
            except SendLater as later:
                # Younger replies wait too, to keep the order.
                await self._put_off(lease.conversation, later)
                outcomes.append(Sent(reply, "later", str(later)))
                break
            outcomes.append(outcome)
            if outcome.state == "waiting_for_contact":
                contact = await self.policy.contact(lease.conversation)
            else:
                await self.reporter.ended(
                    lease.conversation, reply, outcome.state, outcome.error, given_up=outcome.given_up
                )
        return outcomes

    async def _send(self, lease: Lease, waiting: QueuedReply, contact: Contact) -> Sent:
        reply = waiting.reply
        chosen = await self.policy.allowed(reply, contact)
        if chosen is SendPermission.WINDOW_CLOSED:
            return await self._wait_for_contact(lease, waiting, contact)
        if isinstance(chosen, SendPermission):
            return await self._end(lease, waiting, contact, Sent(reply, "refused", f"not sent: {chosen}"))
        return await self._send_parts(lease, waiting, chosen, contact)

    async def _send_parts(self, lease: Lease, waiting: QueuedReply, chosen: Reply, contact: Contact) -> Sent:
        """Send each part after the one before it; a part that fails does not stop the others."""
        errors: list[str] = []
        start = int(waiting.done.get(chosen.id, "0"))
        for index, part in enumerate(chosen.parts[start:], start):
            callback = f"{lease.conversation}.{chosen.id}.{index}"
            outgoing = OutgoingMessage(lease, chosen, part, callback, contact.language)
            asked_at = datetime.now(UTC)
            wamid: str | None = None
            try:
                wamid = await self.sender.send(outgoing)
                _log.info("reply_sent", reply=chosen.id, part=index)
            except ConversationTaken:
                return await self._withdraw(lease, waiting, chosen, index, contact)
            except (GraphError, MetaUnavailable, NotSendable, TemplateNotSendable) as error:
                if isinstance(error, GraphError) and await self._window_closed(outgoing, error, asked_at):
                    return await self._send(lease, waiting, _refused(contact))
                _log.error("reply_failed", reply=chosen.id, part=index, error=str(error))
                errors.append(str(error))
                code = getattr(error, "code", None)
                await self.reporter.part_failed(lease.conversation, chosen, index, contact, str(error), code=code)
            if wamid is not None:
                await self.reporter.part_sent(lease.conversation, chosen, index, contact, wamid)
            is_last = index == len(chosen.parts) - 1
            record = self._record(outgoing, index, wamid, errors, waiting.raw if is_last else None)
            if is_last and waiting.closing:
                await waiting.closing.commit_with(self.leases, lease, record, errors[0] if errors else None)
            else:
                await self.leases.commit(lease, record)
            passing("outbox: recorded")
        return Sent(waiting.reply, "failed", errors[0]) if errors else Sent(waiting.reply)

    async def _withdraw(
        self, lease: Lease, waiting: QueuedReply, chosen: Reply, sent_parts: int, contact: Contact
    ) -> Sent:
        """Send only the parts that an operator's taking doesn't stop, and remove the others from the memory."""
        name, settled = lease.conversation, chosen.if_taken or ()
        before = await self.memory.recall(name)
        entries = {} if sent_parts or settled else await ledger.raw(self.redis, name)
        said = [part_text(part) for part in (*chosen.parts[:sent_parts], *settled)]

        def write(pipeline: Any) -> None:
            self.memory.reword(pipeline, name, before, _words(chosen.parts), "\n".join(said))
            wamids = [item.wamid for item in (*before.unsummarised, *before.recent)]
            ledger.hand_off(pipeline, name, entries, waiting.reply.id.partition("-again")[0], wamids)

        await self.leases.commit(lease, write)
        if settled:
            instead = chosen.model_copy(update={"id": f"{chosen.id}-settled", "parts": settled, "if_taken": None})
            return await self._send_parts(lease, waiting, instead, contact)
        return await self._end(lease, waiting, contact, Sent(waiting.reply, "withdrawn", _WITHDRAWN))

    async def _window_closed(self, outgoing: OutgoingMessage, error: GraphError, asked_at: datetime) -> bool:
        """Handle an error of Meta; True if the message may leave after the person writes.

        Raises SendLater if no message can leave now.
        """
        await self.failures.handle_error(outgoing.conversation, error, asked_at)
        if error.remedy is Remedy.FIX_SETTINGS:
            raise SendLater(0, str(error)) from error
        return error.remedy is Remedy.WAIT_FOR_PERSON and not isinstance(outgoing.part, Template)

    async def _wait_for_contact(self, lease: Lease, waiting: QueuedReply, contact: Contact) -> Sent:
        """Keep the reply until the person writes or it expires; the wait is reported once."""
        reply, now = waiting.reply, datetime.now(UTC).timestamp()
        record = delivery(lease.conversation, f"{lease.conversation}.{reply.id}.0")
        pipeline = self.redis.pipeline(transaction=True)
        pipeline.hsetnx(record, "state", "waiting_for_contact")
        pipeline.hsetnx(record, "waiting_since", str(now))
        pipeline.hget(record, "waiting_since")
        pipeline.expire(record, ledger.KEEP_SECONDS)
        first, _, since, _ = await pipeline.execute()
        until = float(since) + WAIT_SECONDS
        if now >= until:
            why = f"not sent: the person did not write for {WAIT_SECONDS // 86400} days"
            return await self._end(lease, waiting, contact, Sent(reply, "expired", why))
        if first:
            await self.reporter.waits_for_contact(lease.conversation, reply)
        return Sent(reply, "waiting_for_contact", until=until)

    async def _end(self, lease: Lease, waiting: QueuedReply, contact: Contact, ending: Sent) -> Sent:
        """End a reply that will never leave."""
        reply = waiting.reply
        await self.reporter.part_failed(lease.conversation, reply, 0, contact, ending.error or "")

        def write(pipeline: Any) -> None:
            pipeline.lrem(reply_queue.replies_key(lease.conversation), 1, waiting.raw)
            pipeline.hdel(reply_queue.progress_key(lease.conversation), reply.id)
            note_unsent(pipeline, lease.conversation, reply, ending.error or "")

        await self.leases.commit(lease, write)
        _log.info("reply_ended", reply=reply.id, state=ending.state, why=ending.error)
        return ending

    async def _put_off(self, conversation: str, later: SendLater) -> None:
        """Schedule the conversation for later. While sending is paused, the end of the pause resumes it."""
        _log.info("reply_later", seconds=later.seconds, why=str(later))
        if later.seconds:
            await self.statuses.later(conversation, later.seconds + _SLACK_SECONDS)
            due = int(datetime.now(UTC).timestamp() + later.seconds)
            await queues.turn_later(self.redis, conversation, f"{conversation}-later-{due}", later.seconds)
        else:
            await self.statuses.later(conversation, 0)

    def _record(
        self, outgoing: OutgoingMessage, index: int, wamid: str | None, errors: list[str], last: str | None
    ) -> Callable[[Any], None]:
        def write(pipeline: Any) -> None:
            if outgoing.needs_permit:
                pipeline.delete(permit_key(outgoing.conversation))
            if wamid is not None:
                pipeline.hset(outgoing.record, mapping={"wamid": wamid, "recorded": "1"})
                # The sender stores a template's text, because only it fills the template in.
                if not isinstance(outgoing.part, Template):
                    quotable.store(
                        pipeline, outgoing.conversation, wamid, part_text(outgoing.part), self.sender.ttl_seconds
                    )
            elif errors:
                pipeline.hset(outgoing.record, "status", "failed")
                pipeline.hset(outgoing.record, "why", errors[-1])
                pipeline.expire(outgoing.record, ledger.KEEP_SECONDS)
            note_sent(pipeline, outgoing, index, wamid, errors)
            if last is None:
                pipeline.hset(reply_queue.progress_key(outgoing.conversation), outgoing.reply.id, str(index + 1))
                pipeline.expire(reply_queue.progress_key(outgoing.conversation), ledger.KEEP_SECONDS)
            else:
                pipeline.hdel(reply_queue.progress_key(outgoing.conversation), outgoing.reply.id)
                pipeline.lrem(reply_queue.replies_key(outgoing.conversation), 1, last)

        return write


def _words(parts: Sequence[Part]) -> str:
    """The text under which the memory has a reply."""
    return "\n".join(map(part_text, parts))


def _refused(contact: Contact) -> Contact:
    return replace(contact, window_refused_at=contact.last_inbound_at)

"""Consequences of an error of Meta, from a refused call or from a status hours later."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.conversations import ledger
from bot.conversations.contacts import Contacts
from bot.conversations.events import EventPublisher, OutboundMessage
from bot.conversations.lease import ConversationLeases, Lease
from bot.delivery import reply_queue
from bot.delivery.pause import SendingPause
from bot.delivery.rate_limiter import SendRateLimiter
from bot.delivery.statuses import DeliveryStatuses, delivery, event, failures
from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import REPLIES
from bot.messages.outbound import Reply
from bot.whatsapp.errors import (
    MEDIA_REFUSED,
    OPTED_OUT,
    PAIR_RATE,
    RATES,
    THREAD_OF_ANOTHER,
    UNDELIVERABLE,
    GraphError,
    Remedy,
    fix_for,
    needs_operator,
    remedy_for,
)

_log = structlog.get_logger()

# Number of further sends of a message that Meta accepted and then could not deliver.
_AGAIN = {Remedy.RETRY: 2, Remedy.WAIT_FOR_PERSON: 3, Remedy.FIX_SETTINGS: 5, Remedy.GIVE_UP: 0}
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class DeliveryFailures:
    leases: ConversationLeases
    contacts: Contacts
    statuses: DeliveryStatuses
    send_rate: SendRateLimiter
    pause: SendingPause
    events: LiveEvents
    publisher: EventPublisher

    async def handle_error(self, conversation: str, error: GraphError, asked_at: datetime) -> None:
        """Act on an error beyond its message: on the person, the account, or the settings."""
        if error.remedy is Remedy.WAIT_FOR_PERSON:
            await self.contacts.window_refused(conversation, asked_at)
        elif error.remedy is Remedy.FIX_SETTINGS:
            await self.pause.begin(error)
        elif error.code == THREAD_OF_ANOTHER:
            await self._lose_thread(conversation, asked_at)
        elif error.code == UNDELIVERABLE:
            await self.contacts.undeliverable(conversation)
        elif error.code == OPTED_OUT:
            await self.contacts.choose_marketing(conversation, wanted=False, at=datetime.now(UTC))
        elif needs_operator(error.code):
            await alert(self.events, "message_refused", str(error), fix_for(error.code))

    async def _lose_thread(self, conversation: str, asked_at: datetime) -> None:
        """Be quiet from now on: another app owns the thread, and would be talked over."""
        if await self.contacts.thread_lost(conversation, asked_at):
            moved = {"type": "handover", "conversation": conversation, "to": "unknown", "move": "send_refused"}
            await self.events.publish(moved | {"owner": "other"})

    async def handle_reported(self, lease: Lease, callbacks: list[str]) -> None:
        """Act on failures reported by statuses. Needs the lease: a message goes back before all others."""
        for callback in callbacks:
            record = await self.statuses.get(lease.conversation, callback)
            await self._act(lease, callback, record)

    async def _act(self, lease: Lease, callback: str, record: Mapping[str, str]) -> None:
        conversation = lease.conversation
        code = int(record.get("error") or _UNKNOWN)
        error = GraphError(code, "told by a status", remedy_for(code))
        asked_at = datetime.fromtimestamp(float(record.get("asked_at") or time.time()), UTC)
        await self.handle_error(conversation, error, asked_at)
        again = _again(record, error)
        if again is not None and code in RATES:
            await self.send_rate.hold_number(again.phone_number_id)
        elif again is not None and code == PAIR_RATE:
            await self.send_rate.hold_person(conversation)

        if again is None:
            # Before the list is shortened, so that a crash in between publishes again instead of never.
            name = callback.removeprefix(f"{conversation}.")
            ours = OutboundMessage(conversation, name, await self.contacts.get(conversation), None)
            await self.publisher.publish_failed(
                ours, str(error), error=None if code == _UNKNOWN else code, wamid=record.get("wamid")
            )

        def write(pipeline: Any) -> None:
            if again is not None:
                renewed = delivery(conversation, f"{conversation}.{again.id}.0")
                reply_queue.put_first(pipeline, conversation, again)
                if error.remedy is Remedy.RETRY:
                    pipeline.hset(renewed, "not_before", repr(time.time() + 4.0**again.attempt))
                    pipeline.expire(renewed, ledger.KEEP_SECONDS)
            pipeline.hdel(delivery(conversation, callback), "reply")
            pipeline.lrem(failures(conversation), 1, callback)

        await self.leases.commit(lease, write)
        state = "undelivered" if again is None else "sent_again"
        REPLIES.labels(state).inc()
        _log.warning("reply_undelivered", error=code, again=again is not None)
        name = callback.split(".")[1]
        await self.events.publish(event(conversation, name, state, code, str(error)))


def _again(record: Mapping[str, str], error: GraphError) -> Reply | None:
    """The message to send again, under a new id; None if that can't help or was tried often enough."""
    if "reply" not in record:
        return None
    reply = Reply.model_validate_json(record["reply"])
    tries = 1 if error.code == MEDIA_REFUSED else _AGAIN[error.remedy]
    if reply.attempt >= tries:
        return None
    stem = reply.id.partition("-again")[0]
    return reply.model_copy(update={"id": f"{stem}-again{reply.attempt + 1}", "attempt": reply.attempt + 1})

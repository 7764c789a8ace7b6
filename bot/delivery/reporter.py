"""Reports deliveries to the subscribers, the open pages and the metrics."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bot.conversations.contacts import Contact
from bot.conversations.events import EventPublisher, OutboundMessage
from bot.delivery.statuses import event
from bot.infra.live_events import LiveEvents
from bot.infra.metrics import REPLIES
from bot.messages.outbound import Part, Reply
from bot.messages.prompt_text import words

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeliveryReporter:
    events: LiveEvents
    publisher: EventPublisher

    async def part_sent(self, conversation: str, reply: Reply, index: int, contact: Contact, wamid: str) -> None:
        """Report that Meta has accepted a part of a reply."""
        part = reply.parts[index]
        await self.publisher.publish_sent(_named(conversation, reply, index, contact), wamid, words(part))

    async def part_failed(  # noqa: PLR0913 - a failure has these facts
        self, conversation: str, reply: Reply, index: int, contact: Contact, why: str, *, code: int | None = None
    ) -> None:
        """Report that a part will not arrive; `code` is Meta's, where it gave one."""
        await self.publisher.publish_failed(_named(conversation, reply, index, contact), why, error=code)

    async def ended(self, conversation: str, reply: Reply, state: str, error: str | None, *, lost: bool) -> None:
        """Report that a reply has left, or never will."""
        REPLIES.labels(state).inc()
        if lost:
            await self.events.publish(event(conversation, reply.id, state, None, error or ""))

    async def waits_for_contact(self, conversation: str, reply: Reply) -> None:
        """Report that a reply waits until the person writes."""
        REPLIES.labels("waiting_for_contact").inc()
        _log.info("reply_waits_for_contact", reply=reply.id)
        why = "the 24-hour window is closed: it leaves when the person writes"
        await self.events.publish(event(conversation, reply.id, "waiting_for_contact", None, why))


def _named(conversation: str, reply: Reply, index: int, contact: Contact) -> OutboundMessage:
    part: Part = reply.parts[index]
    return OutboundMessage(conversation, f"{reply.id}.{index}", contact, part.kind)

"""Events for subscribers, and the queue that delivers them.

A subscriber gets `{type, timestamp, data}`. What `data` holds, besides `conversation` (our name for it) and `contact`
(`{phone, bsuid, name}`, each may be null):

- `message.received`: `message` (its wamid), `type` (text, voice, photo …), `text` (as understood: the words, what was
  heard or seen; null where nothing was understood), `at` (when the person sent it)
- `message.sent`: `message` (our name for it, `reply.part`), `type` (say, buttons, template …), `wamid`, `text`
- `message.failed`: `message`, `type` (null where a status reported it later), `wamid` (null where Meta never took it),
  `error` (Meta's code, or null), `reason`. One that Meta took and then could not deliver was `sent` before.
- `product.captured`, once for each confirmed card: `product` (the catalogue's name for it, one a barcode),
  `name`, `brand`, `size`, `price` (a decimal as text), `currency` (ISO 4217), `barcode` (each null where not known),
  `previous` (the earlier values of the fields that this changed; empty for a new product), `photos` (their keys in the
  storage), `at`
- `knowledge.gap`: `question` (without identities) that the documents did not answer, `at`
- `conversation.handoff`: `to` (person, bot), `quiet` (whether the bot stays out of it), `reason`
- `conversation.closed`: `by` (the operator), `at`
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from redis.asyncio import Redis

from bot.conversations.contacts import Contact
from bot.infra import queues
from bot.settings import SubscriberSettings

Event = Literal[
    "message.received",
    "message.sent",
    "message.failed",
    "conversation.handoff",
    "conversation.closed",
    "product.captured",
    "subscription.changed",
    "payment.recorded",
    "payment.failed",
    "knowledge.gap",
]


def event_id(event: Event, *parts: str) -> str:
    """Id of an event, made of its subject: the same event has the same id each time it is published.

    Digits of a hash, because wamids hold the person's number, and because Node's BullMQ allows no colon in an id.
    """
    digest = hashlib.sha256("\n".join((event, *parts)).encode()).hexdigest()
    return f"{event.replace('.', '-')}-{digest[:32]}"


def person(contact: Contact, *, phone: str | None = None, bsuid: str | None = None) -> dict[str, str | None]:
    """`data.contact` of an event; facts of the message itself take precedence over stored ones."""
    return {"phone": phone or contact.phone, "bsuid": bsuid or contact.bsuid, "name": contact.name}


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """Message of ours as events name it: `name` is `reply.part`, `kind` its type, if known."""

    conversation: str
    name: str
    contact: Contact
    kind: str | None

    def data(self, **more: Any) -> dict[str, Any]:
        about = {"conversation": self.conversation, "contact": person(self.contact), "message": self.name}
        return about | {"type": self.kind} | more


class EventPublisher:
    """Publishes events to the subscribers; without any, publishing costs nothing."""

    def __init__(self, redis: Redis, settings: SubscriberSettings) -> None:
        self._redis = redis
        self._has_subscribers = bool(settings.subscribers)

    async def publish(self, event: Event, data: dict[str, Any], id: str) -> None:  # noqa: A002 - the contract's word
        """Queue an event for all subscribers; the same `id` is delivered once. Raises what Redis raises.

        No transaction covers the event and its cause. So callers publish first and then write, in a step that is
        repeated after a crash: an event published twice under one id is better than a lost one.
        """
        if self._has_subscribers:
            await queues.add(
                self._redis, "webhook", "deliver", {"event": event, "data": data, "id": id}, id, keep=False
            )

    async def publish_sent(self, message: OutboundMessage, wamid: str, text: str) -> None:
        """Publish that Meta has accepted a message."""
        id_ = event_id("message.sent", message.conversation, message.name)
        await self.publish("message.sent", message.data(wamid=wamid, text=text), id_)

    async def publish_failed(
        self, message: OutboundMessage, reason: str, *, error: int | None = None, wamid: str | None = None
    ) -> None:
        """Publish that a message will not arrive."""
        id_ = event_id("message.failed", message.conversation, message.name)
        await self.publish("message.failed", message.data(wamid=wamid, error=error, reason=reason), id_)

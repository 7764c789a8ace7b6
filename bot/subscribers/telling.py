"""Which events there are, and how one is handed to the queue that brings it to the subscribers."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from redis.asyncio import Redis

from bot import queues
from bot.contacts import Contact
from bot.settings import SubscriberSettings

Event = Literal[
    "message.received",
    "message.sent",
    "message.failed",
    "conversation.handoff",
    "product.captured",
    "subscription.changed",
    "payment.recorded",
    "payment.failed",
]


def event_id(event: Event, *parts: str) -> str:
    """The same id for the same happening, as often as it is told: it is made of what the event is about.

    Digits of a hash, because wamids hold the person's number, and because Node's BullMQ allows no colon in an id.
    """
    digest = hashlib.sha256("\n".join((event, *parts)).encode()).hexdigest()
    return f"{event.replace('.', '-')}-{digest[:32]}"


def person(contact: Contact, *, phone: str | None = None, bsuid: str | None = None) -> dict[str, str | None]:
    """Who an event is about, as its `data.contact`; what a message says of its sender goes before what is kept."""
    return {"phone": phone or contact.phone, "bsuid": bsuid or contact.bsuid, "name": contact.name}


class Subscribers:
    """The systems that get events; without any, telling costs nothing."""

    def __init__(self, redis: Redis, settings: SubscriberSettings) -> None:
        self._redis = redis
        self._there = bool(settings.subscribers)

    async def tell(self, event: Event, data: dict[str, Any], id: str) -> None:  # noqa: A002 - the contract's word
        """Have an event brought to all subscribers; the same `id` is the same event, and is brought once.

        It can't be put into a transaction with what it tells of. So it is told before that is written down, in a step
        that is done again after a crash: rather told twice under one id than not at all. Raises what Redis raises.
        """
        if self._there:
            await queues.add(
                self._redis, "webhook", "deliver", {"event": event, "data": data, "id": id}, id, keep=False
            )

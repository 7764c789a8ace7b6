"""Calls that move a person's thread between this app and another one, for operators."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from redis.asyncio import Redis

from bot.conversations import thread_owner
from bot.conversations.contacts import Contacts
from bot.conversations.thread_owner import Owner, ThreadOwner
from bot.infra.live_events import LiveEvents
from bot.whatsapp.client import Graph, ThreadAction

_log = structlog.get_logger()
# Owner after a call of ours, and its role: only the escalation partner may take, and it gets what is passed on.
_AFTER: dict[ThreadAction, tuple[Owner, str]] = {
    "take": ("us", "escalation"),
    "pass": ("other", "escalation"),
    "release": ("nobody", ""),
}


class ThreadControl:
    def __init__(self, redis: Redis, graph: Graph, contacts: Contacts, events: LiveEvents) -> None:
        self._redis = redis
        self._graph = graph
        self._contacts = contacts
        self._events = events

    async def owner(self, conversation: str) -> ThreadOwner | None:
        """The owner; None if nothing routes the thread, or nobody spoke for a day."""
        return await thread_owner.owner_of(self._redis, conversation)

    async def move(self, conversation: str, action: ThreadAction) -> None:
        """Take, pass on or release a thread; raises GraphError if Meta refuses, and MetaUnavailable."""
        contact = await self._contacts.get(conversation)
        await self._graph.thread_control(action, contact.phone, contact.bsuid)
        owner, role = _AFTER[action]
        await thread_owner.change(self._redis, conversation, owner, role, datetime.now(UTC))
        _log.info("thread_moved", conversation=conversation, action=action)
        event = {"type": "handover", "conversation": conversation, "to": role or owner, "move": action}
        await self._events.publish(event | {"owner": owner})

    async def take_back(self, conversation: str) -> None:
        """Take a thread that is known not to be ours, and leave every other one alone."""
        found = await self.owner(conversation)
        if found is not None and found.owner != thread_owner.US:
            await self.move(conversation, "take")

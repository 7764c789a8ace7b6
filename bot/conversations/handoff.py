"""A human takes over a conversation, and gives it back; in between the bot stays quiet."""

from __future__ import annotations

from typing import Literal

import structlog

from bot.conversations.contacts import Contacts
from bot.conversations.events import EventPublisher, event_id, person
from bot.infra.live_events import LiveEvents

_log = structlog.get_logger()


class HandOff:
    """`subscribers` hear of it too, where there are any."""

    def __init__(self, contacts: Contacts, events: LiveEvents, subscribers: EventPublisher | None = None) -> None:
        self._contacts = contacts
        self._events = events
        self._subscribers = subscribers

    async def call_a_person(self, conversation: str, reason: str) -> None:
        """Mark the conversation and tell the operators' pages. Doing it twice is doing it once."""
        await self._contacts.set_quiet(conversation, quiet=True)
        await self._publish(conversation, to="person", on=True, reason=reason)

    async def leave_to_a_person(self, conversation: str, reason: str) -> None:
        """Leave what has come to a person, without taking the bot out: what comes next is answered again."""
        await self._publish(conversation, to="person", on=False, reason=reason)

    async def give_back(self, conversation: str) -> bool:
        """Let the bot answer again, from the next message on; False when there is no such conversation."""
        if not await self._contacts.exists(conversation):
            return False
        await self._contacts.set_quiet(conversation, quiet=False)
        await self._publish(conversation, to="bot", on=False, reason="")
        return True

    async def _publish(self, conversation: str, *, to: Literal["person", "bot"], on: bool, reason: str) -> None:
        """After the change, which is made again where this failed: whoever called for it hasn't heard of success."""
        _log.info("handoff", conversation=conversation, on=on)
        if self._subscribers is not None:
            contact = await self._contacts.get(conversation)
            # Each hand-over follows upon a message: the same one after the same message is told once.
            last = contact.last_inbound_at.isoformat() if contact.last_inbound_at else ""
            data = {"conversation": conversation, "contact": person(contact), "to": to, "quiet": on, "reason": reason}
            id_ = event_id("conversation.handoff", conversation, to, str(on), last)
            await self._subscribers.publish("conversation.handoff", data, id_)
        await self._events.publish({"type": "handoff", "conversation": conversation, "on": on, "reason": reason})

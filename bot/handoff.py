"""A human takes over a conversation, and gives it back; in between the bot stays quiet."""

from __future__ import annotations

import structlog

from bot.contacts import Contacts
from bot.events import Events

_log = structlog.get_logger()


class HandOff:
    def __init__(self, contacts: Contacts, events: Events) -> None:
        self._contacts = contacts
        self._events = events

    async def call_a_person(self, conversation: str, reason: str) -> None:
        """Mark the conversation and tell the operators' pages. Doing it twice is doing it once."""
        await self._contacts.set_quiet(conversation, quiet=True)
        await self._tell(conversation, on=True, reason=reason)

    async def give_back(self, conversation: str) -> bool:
        """Let the bot answer again, from the next message on; False when there is no such conversation."""
        if not await self._contacts.known(conversation):
            return False
        await self._contacts.set_quiet(conversation, quiet=False)
        await self._tell(conversation, on=False, reason="")
        return True

    async def _tell(self, conversation: str, *, on: bool, reason: str) -> None:
        _log.info("handoff", conversation=conversation, on=on)
        await self._events.publish({"type": "handoff", "conversation": conversation, "on": on, "reason": reason})

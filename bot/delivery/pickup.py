"""Customers who asked for a person whom nobody has answered: they are told once, and supervisors are alerted."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bot.conversations.assignment import Assignments, CallForPerson
from bot.conversations.contacts import Contacts
from bot.delivery.notifications import Notifications
from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.messages.language import Language, language_from
from bot.messages.phrases import phrase

_log = structlog.get_logger()
_FIX = "take the conversation in the console, or assign it to somebody who is there"


@dataclass(frozen=True, slots=True)
class PickupWatch:
    """`seconds` may a customer wait; `default_language` is for those whose language is unknown."""

    assignments: Assignments
    contacts: Contacts
    notifications: Notifications
    events: LiveEvents
    seconds: float
    default_language: Language

    async def look(self) -> int:
        """Tell the customers who have waited for so long; gives how many. What was told is not told again."""
        told = 0
        for asked in await self.assignments.waiting_since(self.seconds):
            told += await self._tell(asked)
        return told

    async def _tell(self, asked: CallForPerson) -> bool:
        contact = await self.contacts.get(asked.conversation)
        # Meanwhile a colleague may have answered in another way.
        waits = contact.handed_off and await self.assignments.of(asked.conversation) is None
        if waits:
            language = language_from(contact.language, self.default_language)
            key = f"pickup-{asked.conversation}-{asked.at!r}"
            await self.notifications.send_text(asked.conversation, phrase("nobody_yet", language), key, stops=True)
        # Last, so that a worker that dies before leaves it to the next one: the key lets it be told once.
        if not await self.assignments.told(asked):
            return False
        if waits:
            _log.warning("nobody_picked_up", conversation=asked.conversation)
            words = f"a customer has waited for a person for {self.seconds / 60:.0f} minutes"
            await alert(self.events, "nobody_picked_up", words, _FIX, severity="warning")
            event = {"type": "nobody_picked_up", "conversation": asked.conversation}
            await self.events.publish(event)
        return waits

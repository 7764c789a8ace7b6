"""Hand-off of a conversation to a person and back; in between the bot stays quiet."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Literal

import structlog

from bot.conversations.contacts import Contacts
from bot.conversations.events import EventPublisher, event_id, person
from bot.conversations.handoff_cause import HandOffCause
from bot.conversations.thread_control import ThreadControl
from bot.history.entries import HandOver
from bot.infra.live_events import LiveEvents

_log = structlog.get_logger()


class HandOff:
    """Publishes each hand-off to the operators' pages, and to `subscribers`, if given.

    With `threads`, giving back also takes the thread from another app.
    """

    def __init__(
        self,
        contacts: Contacts,
        events: LiveEvents,
        subscribers: EventPublisher | None = None,
        threads: ThreadControl | None = None,
    ) -> None:
        self._contacts = contacts
        self._events = events
        self._subscribers = subscribers
        self._threads = threads

    async def call_a_person(self, conversation: str, cause: HandOffCause) -> None:
        """Make the bot quiet and publish the hand-off. A repeated call changes nothing."""
        noted = await self._asked(conversation, cause)
        await self._contacts.set_handed_off(conversation, handed_off=True, noted=noted)
        await self.publish(conversation, to="person", on=True, cause=cause)

    async def leave_to_a_person(self, conversation: str, cause: HandOffCause) -> None:
        """Leave this message to a person; the bot answers the next one."""
        await self._contacts.note(await self._asked(conversation, cause))
        await self.publish(conversation, to="person", on=False, cause=cause)

    async def knows(self, conversation: str) -> bool:
        return await self._contacts.exists(conversation)

    async def own_thread(self, conversation: str) -> None:
        """Take the thread from another app, if one is known to own it; raises GraphError, MetaUnavailable."""
        if self._threads is not None:
            await self._threads.take_back(conversation)

    async def _asked(self, conversation: str, cause: HandOffCause) -> HandOver:
        """The call for a person; the same one where a turn is tried again."""
        contact = await self._contacts.get(conversation)
        last = contact.last_inbound_at.isoformat() if contact.last_inbound_at else ""
        return HandOver(
            id=event_id("conversation.handoff", conversation, "asked", last),
            conversation=conversation,
            at=datetime.now(UTC),
            action="asked",
            reason=cause.as_json()["reason"],
        )

    async def give_back(self, conversation: str, operator: str | None = None) -> bool:
        """Let the bot answer again, from the next message on; False when there is no such conversation.

        `operator` is who gives it back, for the history, and has ended the assignment.
        Raises GraphError or MetaUnavailable where the thread is another app's and can't be taken: nothing changes then.
        """
        if not await self.knows(conversation):
            return False
        if self._threads is not None:
            await self._threads.take_back(conversation)
        given = HandOver(
            id=f"given-{secrets.token_hex(8)}",
            conversation=conversation,
            at=datetime.now(UTC),
            action="given_back",
            operator=operator,
        )
        await self._contacts.set_handed_off(conversation, handed_off=False, noted=given, has_ended=operator is not None)
        await self.publish(conversation, to="bot", on=False)
        return True

    async def publish(
        self, conversation: str, *, to: Literal["person", "bot"], on: bool, cause: HandOffCause | None = None
    ) -> None:
        """Publish after the change: where publishing fails, the caller fails too and repeats both."""
        _log.info("handoff", conversation=conversation, on=on, code=cause.code if cause else "")
        told = cause.as_json() if cause else {"reason": ""}
        if self._subscribers is not None:
            contact = await self._contacts.get(conversation)
            # Because each hand-off follows a message, the same one after the same message gets one id.
            last = contact.last_inbound_at.isoformat() if contact.last_inbound_at else ""
            data = {
                "conversation": conversation,
                "contact": person(contact),
                "to": to,
                "quiet": on,
                "reason": told["reason"],
            }
            id_ = event_id("conversation.handoff", conversation, to, str(on), last)
            await self._subscribers.publish("conversation.handoff", data, id_)
        await self._events.publish({"type": "handoff", "conversation": conversation, "on": on} | told)

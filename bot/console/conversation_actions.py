"""Acts on a conversation: take, give back, close, assign, note, label. Each reaches the history and the open pages."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.console.history_recorder import HistoryRecorder
from bot.conversations import waiting_list
from bot.conversations.assignment import Assignment, Assignments, ColleagueHasIt, NoConversation
from bot.conversations.contacts import Contacts
from bot.conversations.events import EventPublisher, event_id, person
from bot.conversations.handoff import HandOff
from bot.conversations.handoff_cause import HandOffCause
from bot.conversations.identity import current_name, is_conversation
from bot.conversations.inbox import why_unanswered
from bot.conversations.lease import lease_key
from bot.conversations.memory import Memory
from bot.delivery.policy import window_open
from bot.history.entries import HandOver, HandOverAction, LabelsChanged, NoteAdded
from bot.history.reader import HistoryReader
from bot.history.views import ConversationShown, PersonShown
from bot.infra.queues import JobScheduler
from bot.messages.inbound import GivenBack, Inbound
from bot.people.operators import Operator, Operators

_MENTION = re.compile(r"(?<![\w.@])@([\w.+-]{1,64}(?:@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})?)")
_MOST_MENTIONS = 20


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller who acts: an operator, or a program; `for_others` lets them act on a colleague's conversation."""

    who: str
    name: str
    for_others: bool


@dataclass(frozen=True, slots=True)
class ConversationActions:
    redis: Redis
    contacts: Contacts
    assignments: Assignments
    handoff: HandOff
    publisher: EventPublisher
    recorder: HistoryRecorder
    memory: Memory

    async def known(self, conversation: str) -> str:
        """The conversation, or the one that it has joined; raises NoConversation."""
        if not is_conversation(conversation):
            raise NoConversation
        home = await current_name(self.redis, conversation)
        if not await self.contacts.exists(home):
            raise NoConversation
        if not await self.contacts.has_address(home):
            await self._introduce(home)
        return home

    async def shown(self, conversation: str, history: HistoryReader) -> dict[str, Any]:
        """The conversation as it is now: the history follows Redis by a moment. Raises NoConversation."""
        found = await history.conversation(conversation)
        contact, assigned = await self.contacts.get(conversation), await self.assignments.of(conversation)
        if found is None:
            if contact.phone is None and contact.bsuid is None:
                raise NoConversation
            now = datetime.now(UTC)
            about = PersonShown(contact.name, contact.phone, contact.bsuid)
            found = ConversationShown(conversation, about, "bot", None, 0, None, now, contact.last_inbound_at, None)
        # The history may know an act on a newcomer before their message.
        about, at = found.contact, found.last_inbound_at or contact.last_inbound_at
        about = PersonShown(about.name or contact.name, about.phone or contact.phone, about.bsuid or contact.bsuid)
        details = replace(found, contact=about, last_inbound_at=at).details()
        if assigned is not None:
            return details | {"state": "person", "assigned_to": assigned.operator, "assigned_name": assigned.name}
        state = details["state"]
        if state == "person" and not contact.handed_off:
            state = "bot"
        elif state == "person" and details["assigned_to"] is not None:
            # The operator no longer has it. Without a name, a colleague answers from the app.
            state = "waiting"
        return details | {"state": state, "assigned_to": None, "assigned_name": None}

    async def take(self, conversation: str, by: Actor, *, force: bool = False) -> None:
        """Take a conversation: after it no word of the assistant leaves.

        Raises ColleagueHasIt unless `force` and a supervisor asks, StillSending, and Meta's refusal to give the thread.
        """
        before = await self.assignments.of(conversation)
        await self.handoff.own_thread(conversation)
        try:
            await self.assignments.take(
                conversation, by.who, by.name, lease=lease_key(conversation), force=force and by.for_others
            )
        finally:
            # Also where the assistant's last message is still on its way.
            now = await self.assignments.of(conversation)
            if now is not None and now.operator == by.who and (before is None or before.operator != by.who):
                await self._note(conversation, "taken", by, assigned_to=by.who)
                await self._publish_taken(conversation, by.name)

    async def assign(self, conversation: str, by: Actor, to: Operator) -> None:
        """Give a conversation to a colleague; raises ColleagueHasIt if another one has it."""
        await self._require_own(conversation, by)
        await self.handoff.own_thread(conversation)
        try:
            # Decided in the same step, because a colleague may have taken it just now.
            lease, force = lease_key(conversation), by.for_others
            await self.assignments.take(conversation, to.email, to.name, lease=lease, force=force, given_by=by.who)
        finally:
            # Also where the assistant's last message is still on its way.
            now = await self.assignments.of(conversation)
            if now is not None and now.operator == to.email:
                await self._note(conversation, "taken", by, assigned_to=to.email)
                await self._publish_taken(conversation, to.name)

    async def give_back(self, conversation: str, by: Actor, note: str | None, scheduler: JobScheduler) -> None:
        """Let the assistant go on. It reads the note, and answers the messages that nobody answered."""
        await self._require_own(conversation, by)
        await self.handoff.own_thread(conversation)
        await self.assignments.end(conversation, holder=None if by.for_others else by.who)
        contact = await self.contacts.get(conversation)
        history = await self.memory.recall(conversation)
        # A message of this moment may not have been read into the memory yet.
        waiting = await waiting_list.WaitingList(self.redis).messages(conversation)
        comes = any(message.author == "person" and why_unanswered(message) is None for message in waiting)
        unanswered = comes or (bool(history.recent) and history.recent[-1].role == "user")
        await self.handoff.give_back(conversation, by.who)
        # Without a message of the customer in the last day, an answer would wait for the next one.
        unanswered = unanswered and window_open(contact, datetime.now(UTC))
        if not (note or unanswered) or contact.last_inbound_at is None:
            return
        news = Inbound(
            id=f"given-back-{secrets.token_hex(8)}",
            phone=contact.phone,
            bsuid=contact.bsuid,
            author="business",
            # The window is counted from the customer's own last message.
            sent_at=contact.last_inbound_at,
            received_at=datetime.now(UTC),
            content=GivenBack(operator=by.name, note=note, unanswered=unanswered),
        )
        await waiting_list.add(self.redis, conversation, news)
        scheduler.turn(conversation, f"{conversation}-{news.id}")

    async def is_closed(self, conversation: str, history: HistoryReader) -> bool:
        """Whether it was closed, and the customer has not written since. Redis knows of a new message first."""
        shown = await self.shown(conversation, history)
        last, since = (await self.contacts.get(conversation)).last_inbound_at, shown["closed_at"]
        if shown["state"] != "closed" or since is None:
            return False
        # Meta's times have whole seconds: a message of the same second may be a later one.
        return last is None or last < datetime.fromisoformat(since).replace(microsecond=0)

    async def close(self, conversation: str, by: Actor) -> None:
        """Close a conversation; the customer's next message opens it for the assistant."""
        await self.assignments.end(conversation, holder=None if by.for_others else by.who)
        at = await self._note(conversation, "closed", by)
        contact = await self.contacts.get(conversation)
        data = {"conversation": conversation, "contact": person(contact), "by": by.who, "at": at.isoformat()}
        id_ = event_id("conversation.closed", conversation, at.isoformat())
        await self.publisher.publish("conversation.closed", data, id_)
        await self.contacts.set_handed_off(conversation, handed_off=False, has_ended=True)

    async def see(self, conversation: str, by: Actor) -> None:
        """Note that somebody has read the messages."""
        await self._note(conversation, "seen", by)

    async def add_note(self, conversation: str, by: Actor, text: str, key: str, operators: Operators) -> NoteAdded:
        """Add a private note, once for this key; whoever it mentions is named."""
        mentions = mentioned(text, await operators.all())
        entry = NoteAdded(
            id=f"n_{key}", conversation=conversation, at=datetime.now(UTC), author=by.who, text=text, mentions=mentions
        )
        await self.recorder.add(entry, {"type": "note", "author": by.who, "mentions": list(mentions)})
        return entry

    async def label(self, conversation: str, add: Sequence[str], remove: Sequence[str]) -> None:
        entry = LabelsChanged(
            id=f"l_{secrets.token_hex(10)}",
            conversation=conversation,
            at=datetime.now(UTC),
            add=tuple(dict.fromkeys(add)),
            remove=tuple(dict.fromkeys(remove)),
        )
        await self.recorder.add(entry, {"type": "labels"})

    async def _publish_taken(self, conversation: str, name: str) -> None:
        await self.handoff.publish(conversation, to="person", on=True, cause=HandOffCause("taken", {"name": name}))

    async def _require_own(self, conversation: str, by: Actor) -> None:
        holder: Assignment | None = await self.assignments.of(conversation)
        if holder is not None and holder.operator != by.who and not by.for_others:
            raise ColleagueHasIt(holder.name)

    async def _introduce(self, conversation: str) -> None:
        """Let a newcomer be known by their waiting message, because a turn may begin only later."""
        waiting = await waiting_list.WaitingList(self.redis).messages(conversation)
        theirs = [message for message in waiting if message.author == "person"]
        if theirs:
            await self.contacts.introduce(conversation, max(theirs, key=lambda message: message.sent_at))

    async def _note(
        self, conversation: str, action: HandOverAction, by: Actor, assigned_to: str | None = None
    ) -> datetime:
        at = datetime.now(UTC)
        entry = HandOver(
            id=f"{action}-{secrets.token_hex(10)}",
            conversation=conversation,
            at=at,
            action=action,
            operator=by.who,
            assigned_to=assigned_to,
        )
        event = {"type": action, "operator": by.who, "name": by.name, "assigned_to": assigned_to}
        await self.recorder.add(entry, event)
        return at


def mentioned(text: str, operators: Sequence[Operator]) -> tuple[str, ...]:
    """Addresses of the operators whom a note names by `@address`, `@` and its first half, or `@` and a first name."""
    names: dict[str, list[str]] = {}
    for operator in operators:
        if not operator.disabled:
            own = {
                operator.email.casefold(),
                operator.email.partition("@")[0].casefold(),
                operator.name.split()[0].casefold(),
            }
            for name in own:
                names.setdefault(name, []).append(operator.email)
    found = (name.rstrip(".-").casefold() for name in _MENTION.findall(text))
    emails = dict.fromkeys(email for name in found for email in names.get(name, ()))
    return tuple(emails)[:_MOST_MENTIONS]

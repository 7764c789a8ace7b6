"""The first half of a turn: sort the messages, apply the rate limit, and turn media into text."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.conversations import choices
from bot.conversations.budget import Budget
from bot.conversations.contacts import Contact, Contacts
from bot.conversations.rate_limit import Admission, MessageRateLimit
from bot.infra.crash_points import passing
from bot.media.understanding import MediaPerception, PerceivedMessage, unperceived
from bot.messages.inbound import Inbound
from bot.messages.language import Language, language_of
from bot.turns.context import TurnAttempt, TurnContext, language_known
from bot.turns.revisions import MessageBatch, MessageRevisions
from bot.turns.trace import Trace


@dataclass(frozen=True, slots=True)
class TurnPreparation:
    """`default_language` serves people whose language is still unknown."""

    redis: Redis
    contacts: Contacts
    perception: MediaPerception
    revisions: MessageRevisions
    rate_limit: MessageRateLimit
    budget: Budget
    default_language: Language

    async def apply_changes(self, conversation: str, waiting: list[Inbound], attempt: TurnAttempt) -> MessageBatch:
        """Apply edits and revocations, and find the messages that ask for an answer."""
        return await self.revisions.apply_changes(conversation, waiting, attempt.known, attempt.contact.earlier)

    async def admit(
        self, conversation: str, messages: list[Inbound], turn: str, uncounted: frozenset[str]
    ) -> Admission:
        """Apply the rate limit; those of `uncounted` don't count."""
        return await self.rate_limit.admit(conversation, messages, turn, uncounted)

    async def prepare(
        self, batch: MessageBatch, attempt: TurnAttempt, admission: Admission, answer_by: float, trace: Trace
    ) -> TurnContext:
        """Read the messages, and gather the input of the turn. `answer_by` is a time of the loop's clock.

        Media of a flood, or of a turn that was given up, are not read.
        """
        conversation, messages, contact = trace.conversation, batch.to_answer, attempt.contact
        trace.messages = [message.id for message in messages]
        if attempt.given_up or not admission.admitted:
            perceived = [unperceived(message) for message in messages]
        else:
            perceived = await self._perceive(conversation, messages, contact, answer_by, trace)
            passing("turn: perceived")
        words = " ".join(message.perceived.words for message in perceived)
        language = language_of(words) or language_known(contact) or self.default_language
        contact = await self.contacts.update_from(conversation, messages, language, contact)
        texts = {message.perceived.message: message.perceived.text for message in perceived}
        lines = self.revisions.lines(batch, texts) if admission.admitted else []
        spending = self.budget.turn_account(conversation)
        return TurnContext(
            conversation, batch, perceived, lines, language, contact, attempt, admission, answer_by, spending
        )

    async def _perceive(
        self, conversation: str, messages: list[Inbound], contact: Contact, answer_by: float, trace: Trace
    ) -> list[PerceivedMessage]:
        # Half of the time that is left, because the model needs the other half.
        seconds = max((answer_by - asyncio.get_running_loop().time()) / 2, 1)
        with trace.station("perception"):
            messages = await choices.with_full_titles(self.redis, (conversation, *contact.earlier), messages)
            perceived = await self.perception.perceive(conversation, messages, language_known(contact), seconds)
        trace.note_perceived([message.perceived for message in perceived])
        return perceived

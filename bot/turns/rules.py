"""Rules that precede the model: late messages, and words that end or allow marketing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from unicodedata import category, normalize

from bot.conversations.contacts import Contact, Contacts
from bot.conversations.handoff import HandOff
from bot.conversations.handoff_cause import HandOffCause
from bot.messages.inbound import Inbound, Tap, Text
from bot.messages.language import Language
from bot.messages.phrases import phrase
from bot.settings import ChannelSettings


@dataclass(frozen=True, slots=True)
class RuleResult:
    """`first` are the answer's first paragraphs; `complete`: it needs no others; `too_late`: there is no answer.

    `chosen` are the messages that were a choice about marketing.
    """

    first: tuple[str, ...] = ()
    complete: bool = False
    too_late: bool = False
    chosen: frozenset[str] = frozenset()

    def prefixed(self, text: str) -> str:
        """The whole answer. Without a text there is no apology for lateness either."""
        return "\n\n".join(filter(None, (*self.first, text))) if text or self.complete else ""


class MessageRules:
    def __init__(self, contacts: Contacts, handoff: HandOff, settings: ChannelSettings) -> None:
        self._contacts = contacts
        self._handoff = handoff
        self._settings = settings
        self._choices = {_bare(word): False for word in settings.opt_out_words}
        self._choices |= {_bare(word): True for word in settings.opt_in_words}

    async def receive(
        self, conversation: str, messages: list[Inbound], contact: Contact, language: Language
    ) -> RuleResult:
        """Apply the rules to the messages of a turn, which are in order. A repetition changes nothing."""
        chosen = [(message, choice) for message in messages if (choice := self._choice(message)) is not None]
        for message, wanted in chosen:
            await self._contacts.choose_marketing(conversation, wanted=wanted, at=message.sent_at)
        if contact.withheld and not await self._contacts.withheld_reported(conversation):
            await self._handoff.leave_to_a_person(conversation, HandOffCause("withheld_role"))
            await self._contacts.mark_withheld_reported(conversation)
        ids = frozenset(message.id for message, _ in chosen)
        alone = tuple(phrase(name, language) for name in _phrases(False, (wanted for _, wanted in chosen)))
        if contact.handed_off:
            # A colleague answers, but the effect of the choice is confirmed all the same.
            return RuleResult(alone, chosen=ids)
        age = 0.0 if messages[-1].is_ours else (datetime.now(UTC) - messages[-1].sent_at).total_seconds()
        if age > self._settings.late_message_seconds:
            late = HandOffCause("late", {"hours": f"{age / 3600:.0f}"})
            await self._handoff.leave_to_a_person(conversation, late)
            return RuleResult(alone, too_late=True, chosen=ids)
        names = _phrases(age > self._settings.late_message_apology_seconds, (wanted for _, wanted in chosen))
        first = tuple(phrase(name, language) for name in names)
        return RuleResult(first, complete=len(chosen) == len(messages), chosen=ids)

    def is_choice(self, message: Inbound) -> bool:
        """Whether a message consists of a word of consent alone."""
        return self._choice(message) is not None

    def _choice(self, message: Inbound) -> bool | None:
        """True allows marketing, False ends it. Only a message that consists of the word alone counts.

        A tap counts by its title or id, because the company chose the id of a template's button.
        """
        content = message.content
        if message.forwarded or not isinstance(content, Text | Tap):
            return None
        said = (content.body,) if isinstance(content, Text) else (content.title, content.id)
        return next((self._choices[word] for word in map(_bare, said) if word in self._choices), None)


def _phrases(late: bool, choices: Iterable[bool]) -> list[str]:  # noqa: FBT001 - said by its name
    names = ["late"] if late else []
    last = [("opted_in" if wanted else "opted_out") for wanted in choices][-1:]
    return names + last


def _bare(word: str) -> str:
    """A word without case, accents and signs: `¡STOP!` becomes `stop`."""
    letters = normalize("NFKD", word.casefold())
    return " ".join("".join(sign for sign in letters if category(sign)[0] in "LN" or sign.isspace()).split())

"""Input of a turn, and the end state that it gives each message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.agent.loop import JournalEntry
from bot.conversations.budget import TurnAccount
from bot.conversations.contacts import Contact
from bot.conversations.dead_letters import DeadLetter
from bot.conversations.inbox import FLOOD
from bot.conversations.memory import History, HistoryEntry
from bot.conversations.rate_limit import Admission
from bot.history.entries import MessageRead, TurnClosed
from bot.infra.logs import masked
from bot.media.archive import place_of
from bot.media.understanding import PerceivedMessage
from bot.messages.inbound import Inbound, Media
from bot.messages.language import Language, language_from
from bot.messages.outbound import Part, Reply
from bot.prompting.canary import CurrentRelease
from bot.prompting.prompts import Prompts
from bot.turns.revisions import Known, MessageBatch
from bot.turns.trace import Trace

TRIES = 5
# After this share of the time until the deadline, the customer is told that the answer takes longer.
_STILL_ON_IT = 0.4
_UNKNOWN = ("a tool that isn't known any more",)
# With less than this share left, the delay is announced at once and the answer gets more time.
_LITTLE = 0.25


@dataclass(frozen=True, slots=True)
class TurnAttempt:
    """A try of a turn: its messages (the first `count` that wait), its prompts, and the journal of earlier tries.

    `current` is the release at the start of this try. `known` holds the messages that the turn's messages refer to.
    `listed_at` is the conversation's score in the waiting index when they were read. With `journal_unreadable`, the
    effects of earlier tries are unknown.
    """

    count: int
    tries: int
    journal: tuple[JournalEntry, ...]
    prompts: Prompts
    current: CurrentRelease
    contact: Contact
    known: Known
    history: History
    listed_at: float | None
    journal_unreadable: bool = False

    @property
    def given_up(self) -> bool:
        """Whether the turn ends without reading the messages again, because a message may make every try fail."""
        return self.journal_unreadable or self.tries > TRIES


@dataclass(frozen=True, slots=True)
class TurnResult:
    """Output of a turn: its text, the parts that can be tapped, and the end state of its messages.

    `answered_by_code` are messages that code has answered. They end so, whatever the state of the others. `by_code`:
    no word of it is the model's, so that it leaves even once an operator has the conversation. Of other results only
    `settled` does, text and parts such as the outcome of a tap.
    """

    text: str
    state: str
    offered: tuple[Part, ...] = ()
    answered_by_code: frozenset[str] = frozenset()
    by_code: bool = False
    settled: tuple[str, tuple[Part, ...]] = ("", ())


@dataclass(frozen=True, slots=True)
class TurnContext:
    """Input of a turn. `answer_by` is the deadline, by the loop's clock.

    `perceived` has one entry for each message that asks for an answer. `lines` are the new entries of the memory.
    """

    conversation: str
    batch: MessageBatch
    perceived: list[PerceivedMessage]
    lines: list[HistoryEntry]
    language: Language
    contact: Contact
    attempt: TurnAttempt
    admission: Admission
    answer_by: float
    spending: TurnAccount

    @property
    def history(self) -> History:
        """The conversation's history."""
        return self.attempt.history

    @property
    def messages(self) -> list[Inbound]:
        """The messages that ask for an answer."""
        return self.batch.to_answer


@dataclass(frozen=True, slots=True)
class Deadline:
    """Seconds until the answer is due, and seconds after which a late answer is announced."""

    seconds: float
    announce_after: float


def deadline_for(messages: list[Inbound], whole: float) -> Deadline:
    """The time that is left of `whole` seconds since the first message.

    After a long wait (a crowd, an outage) the delay is announced at once, and the answer gets half of `whole`: a late
    answer is better than none.
    """
    first = min(message.received_at for message in messages)
    left = whole - (datetime.now(UTC) - first).total_seconds()
    return Deadline(left, left * _STILL_ON_IT) if left > whole * _LITTLE else Deadline(whole / 2, 0)


def turn_id(first: Inbound) -> str:
    """The name of a turn: the same for every try after a crash, but new when an operator retries the messages."""
    return f"t_{masked(first.id)}" + (f"-{first.retries}" if first.retries else "")


def dead_letter_of(turn: TurnContext, trace: Trace, result: TurnResult) -> DeadLetter:
    """The messages of a turn that failed for good."""
    return DeadLetter(
        reason=trace.error or result.state,
        at=datetime.now(UTC),
        messages=tuple(turn.messages),
        acted=_UNKNOWN if turn.attempt.journal_unreadable else tuple(tool.name for tool in trace.tools if tool.acted),
    )


def without_flood(batch: MessageBatch, admission: Admission) -> MessageBatch:
    """The batch without the messages beyond the rate limit: they end here and never enter the memory."""
    if not admission.over or not admission.admitted:
        return batch
    over = {message.id for message in admission.over}
    return replace(
        batch,
        all=[message for message in batch.all if message.id not in over],
        to_answer=admission.admitted,
        ends=batch.ends | {message.id: _entry(message, FLOOD) for message in admission.over},
    )


def reply_to(
    newest: Inbound,
    contact: Contact,
    reply_id: str,
    parts: tuple[Part, ...],
    if_taken: tuple[Part, ...] | None = (),
) -> Reply:
    """A reply to the sender of a message, from the number that they wrote to. An operator who takes over stops it."""
    return Reply(
        id=reply_id,
        parts=parts,
        phone=newest.phone or contact.phone,
        bsuid=newest.bsuid or contact.bsuid,
        phone_number_id=newest.phone_number_id,
        if_taken=if_taken,
    )


def end_states(messages: list[Inbound], result: TurnResult, turn: str) -> dict[str, dict[str, str]]:
    """The newest message is answered and the others are merged into it; any other result is the state of all."""
    newest = messages[-1]

    def state(message: Inbound) -> str:
        if result.state == "answered":
            return "answered" if message is newest else "merged"
        return "answered" if message.id in result.answered_by_code else result.state

    return {message.id: _entry(message, state(message)) | {"turn": turn} for message in messages}


def closing_entry(turn: TurnContext, ends: dict[str, dict[str, str]], name: str) -> TurnClosed:
    """The entry of the history with the end states of a turn's messages, and what was understood of their files."""
    read = {}
    for message, seen in zip(turn.messages, turn.perceived, strict=True):
        state, content, text, file = ends[message.id]["state"], message.content, None, None
        if isinstance(content, Media):
            text = seen.perceived.words or seen.perceived.text
            file = place_of(turn.conversation, message, content.media_id) if seen.perceived.kept else None
        read[message.id] = MessageRead(state=state, text=text, file=file)
    return TurnClosed(
        id=name,
        conversation=turn.conversation,
        at=datetime.now(UTC),
        turn=name,
        messages=read,
        language=turn.language,
    )


def language_known(contact: Contact) -> Language | None:
    """The contact's last known language, if Recado speaks it."""
    return language_from(contact.language, None)


def _entry(message: Inbound, state: str) -> dict[str, str]:
    return {"state": state, "type": message.content.kind, "received_at": message.received_at.isoformat()}

"""What one turn is about, gathered before it is thought over, and what follows from it for its messages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.agent.loop import ModelStep, ToolResult
from bot.conversations.contacts import Contact
from bot.conversations.dead_letters import DeadLetter
from bot.conversations.inbox import FLOOD
from bot.conversations.memory import History, HistoryEntry
from bot.conversations.rate_limit import Admission
from bot.infra.logs import masked
from bot.media.understanding import PerceivedMessage
from bot.messages.inbound import Inbound
from bot.messages.language import Language
from bot.messages.outbound import Part, Reply
from bot.prompting.canary import CurrentRelease
from bot.prompting.prompts import Prompts
from bot.turns.revisions import MessageBatch
from bot.turns.trace import Trace

TRIES = 5
# When this share of the time until the deadline has gone by without an answer, the customer is told so.
_STILL_ON_IT = 0.4
_UNKNOWN = ("a tool that isn't known any more",)
# Less than this share of it is too little to think in.
_LITTLE = 0.25


@dataclass(frozen=True, slots=True)
class TurnAttempt:
    """A turn that is under way: which messages it has (the first `count`), what earlier tries did, its prompts.

    `standing` is what turns began with at this try. `lost` says that its journal can't be read by this version of
    Recado: what earlier tries did isn't known.
    """

    count: int
    tries: int
    journal: tuple[ModelStep | ToolResult, ...]
    prompts: Prompts
    standing: CurrentRelease
    lost: bool = False

    @property
    def given_up(self) -> bool:
        """Whether what was sent isn't touched again: whatever makes the turn fail may be in it."""
        return self.lost or self.tries > TRIES


@dataclass(frozen=True, slots=True)
class TurnResult:
    """How a turn ends: what is said, and the end state of its messages.

    `settled` are messages that code has settled: they end as answered, whatever becomes of the others.
    """

    text: str
    state: str
    offered: tuple[Part, ...] = ()
    settled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What one turn is about, gathered before it is thought over."""

    conversation: str
    batch: MessageBatch
    sights: list[PerceivedMessage]
    lines: list[HistoryEntry]
    language: Language
    contact: Contact
    before: History
    attempt: TurnAttempt
    admission: Admission
    due: float

    @property
    def messages(self) -> list[Inbound]:
        """Those that ask for an answer."""
        return self.batch.speech


@dataclass(frozen=True, slots=True)
class Deadline:
    """Seconds until the customer must have an answer, and after which one that isn't there is announced."""

    seconds: float
    announce_after: float


def deadline_for(messages: list[Inbound], whole: float) -> Deadline:
    """How long the answer may take, of `whole` seconds. What has waited so long that little is left (a crowd, an
    outage) is announced at once, and then has half of the time anew: a late answer is better than none.
    """
    first = min(message.received_at for message in messages)
    left = whole - (datetime.now(UTC) - first).total_seconds()
    return Deadline(left, left * _STILL_ON_IT) if left > whole * _LITTLE else Deadline(whole / 2, 0)


def name_of(first: Inbound) -> str:
    """A turn's name: the same for every try after a crash, another one when an operator lets it be tried anew."""
    return f"t_{masked(first.id)}" + (f"-{first.retries}" if first.retries else "")


def set_aside(turn_context: TurnContext, trace: Trace, outcome: TurnResult) -> DeadLetter:
    """The messages of a turn that failed for good."""
    return DeadLetter(
        reason=trace.error or outcome.state,
        at=datetime.now(UTC),
        messages=tuple(turn_context.messages),
        acted=_UNKNOWN if turn_context.attempt.lost else tuple(one.name for one in trace.tools if one.acted),
    )


def within(batch: MessageBatch, admission: Admission) -> MessageBatch:
    """The batch without what is beyond the rate limit, which ends here and is not remembered."""
    if not admission.over or not admission.admitted:
        return batch
    over = {message.id for message in admission.over}
    return replace(
        batch,
        all=[message for message in batch.all if message.id not in over],
        speech=admission.admitted,
        ends=batch.ends | {message.id: _entry(message, FLOOD) for message in admission.over},
    )


def addressed(reply_id: str, parts: tuple[Part, ...], newest: Inbound, contact: Contact) -> Reply:
    """A reply to the person who wrote, from the number that they wrote to."""
    return Reply(
        id=reply_id,
        parts=parts,
        phone=newest.phone or contact.phone,
        bsuid=newest.bsuid or contact.bsuid,
        phone_number_id=newest.phone_number_id,
    )


def ends_of(messages: list[Inbound], outcome: TurnResult, turn: str) -> dict[str, dict[str, str]]:
    """The newest message carries the turn's end state, the others are merged into it; all of them when it failed."""
    newest = messages[-1]

    def state(message: Inbound) -> str:
        if outcome.state == "answered":
            return "answered" if message is newest else "merged"
        return "answered" if message.id in outcome.settled else outcome.state

    return {message.id: _entry(message, state(message)) | {"turn": turn} for message in messages}


def _entry(message: Inbound, state: str) -> dict[str, str]:
    return {"state": state, "type": message.content.kind, "received_at": message.received_at.isoformat()}

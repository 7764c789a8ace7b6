"""Replies that wait in an outbox, and the outcomes of sending them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.delivery.closing_commit import ClosingCommit
from bot.infra.queries import mapping
from bot.messages.outbound import Reply

State = Literal["sent", "failed", "refused", "withdrawn", "waiting_for_contact", "expired", "later"]


@dataclass(frozen=True, slots=True)
class Sent:
    """Outcome of a reply: `error` says why it did not leave, `until` (Unix seconds) how long it waits."""

    reply: Reply
    state: State = "sent"
    error: str | None = None
    until: float | None = None

    @property
    def given_up(self) -> bool:
        """Whether it will never leave. A waiting reply is not lost."""
        return self.state in ("failed", "refused", "withdrawn", "expired")


@dataclass(frozen=True, slots=True)
class OutboxState:
    """Waiting replies and failures, the due time (`listed_at`, Unix seconds), and the pause of sending, if any.

    `done` is the number of sent parts by reply id.
    """

    waiting: list[str]
    failed: list[str]
    listed_at: float | None
    done: dict[str, str]
    paused: dict[str, str]

    @property
    def is_empty(self) -> bool:
        return not (self.waiting or self.failed or self.listed_at is not None)


def outbox_state(found: Sequence[Any]) -> OutboxState:
    waiting, failed, listed_at, done, paused = found
    return OutboxState(waiting, failed, None if listed_at is None else float(listed_at), mapping(done), mapping(paused))


@dataclass(frozen=True, slots=True)
class QueuedReply:
    """Reply with its stored form (`raw`), and the number of done parts by reply id.

    `closing` is set for the last waiting reply.
    """

    reply: Reply
    raw: str
    done: dict[str, str]
    closing: ClosingCommit | None = None

"""The one read that opens a turn: the state by which the lease's holder decides what to do in a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.conversations import waiting_list
from bot.conversations.contacts import Contact, Contacts
from bot.conversations.waiting_list import Waiting
from bot.delivery.outbox import Outbox, OutboxState
from bot.infra.queries import Query, gathered
from bot.prompting.canary import CurrentRelease
from bot.prompting.releases import current_release
from bot.turns.merge import ConversationMerger


@dataclass(frozen=True, slots=True)
class Opening:
    """State of a conversation when its lease was taken, or read again by its holder.

    `has_moved`: the conversation has joined another. `to_join` are the conversations that still have to join it.
    """

    has_moved: bool
    to_join: list[str]
    waiting: Waiting
    outbox: OutboxState
    contact: Contact
    current: CurrentRelease


@dataclass(frozen=True, slots=True)
class Openings:
    contacts: Contacts
    outbox: Outbox

    def query(self, conversation: str) -> Query[Opening]:
        parts = gathered(
            ConversationMerger.query(conversation),
            waiting_list.waiting(conversation),
            self.outbox.query(conversation),
            self.contacts.query(conversation),
            current_release(),
        )

        def read(found: Sequence[Any]) -> Opening:
            (has_moved, to_join), *rest = parts.read(found)
            return Opening(has_moved, to_join, *rest)

        return Query(parts.commands, read)

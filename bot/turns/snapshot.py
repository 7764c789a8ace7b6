"""The one read that opens a turn: the state by which the lease's holder decides what to do in a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.conversations import waiting_list
from bot.conversations.contacts import Contact, Contacts
from bot.conversations.waiting_list import Waiting
from bot.delivery.outbox import Outbox
from bot.delivery.outbox_state import OutboxState
from bot.infra.queries import Query, gathered
from bot.prompting.canary import CurrentRelease
from bot.prompting.releases import current_release
from bot.turns.merge import ConversationMerger


@dataclass(frozen=True, slots=True)
class ConversationSnapshot:
    """State of a conversation when its lease was taken, or read again by its holder.

    `has_merged`: the conversation was merged into another. `to_merge` are those that still have to be merged into it.
    """

    has_merged: bool
    to_merge: list[str]
    waiting: Waiting
    outbox: OutboxState
    contact: Contact
    current: CurrentRelease


@dataclass(frozen=True, slots=True)
class SnapshotReader:
    contacts: Contacts
    outbox: Outbox

    def query(self, conversation: str) -> Query[ConversationSnapshot]:
        parts = gathered(
            ConversationMerger.query(conversation),
            waiting_list.waiting(conversation),
            self.outbox.query(conversation),
            self.contacts.query(conversation),
            current_release(),
        )

        def read(found: Sequence[Any]) -> ConversationSnapshot:
            (has_merged, to_merge), *rest = parts.read(found)
            return ConversationSnapshot(has_merged, to_merge, *rest)

        return Query(parts.commands, read)

"""The commit that ends a turn together with the sending of its last message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.conversations.lease import ConversationLeases, Lease
from bot.infra.crash_points import passing


@dataclass(slots=True)
class ClosingCommit:
    """End of a turn: its trace and the release of its lease, in one commit with the record of its last message.

    `write` gets a pipeline, and the error of an unsent message. `listed_at` is the conversation's score in the index
    of the waiting list when its messages were read.
    """

    write: Callable[[Any, str | None], None]
    listed_at: float | None
    is_done: bool = False
    released: bool = False

    async def commit_with(
        self, leases: ConversationLeases, lease: Lease, record: Callable[[Any], None], error: str | None = None
    ) -> None:
        """Commit the record of a message and the end of the turn, or neither; raises LeaseLost."""

        def both(pipeline: Any) -> None:
            record(pipeline)
            self.write(pipeline, error)

        passing("turn: about to let go")
        self.released = await leases.commit_and_release(lease, both, self.listed_at)
        self.is_done = True

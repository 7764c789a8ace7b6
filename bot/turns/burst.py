"""The silence that ends a burst: people split a question over several messages, and get one answer."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from bot.messages.inbound import Inbound

# A person who never stops writing gets an answer after this time too.
_LONGEST_SECONDS = 8.0


class Burst:
    """A burst ends after `quiet_seconds` without a new message; each new message restarts that time."""

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet_seconds = quiet_seconds
        self._until = time.monotonic() + _LONGEST_SECONDS

    @property
    def is_over_at_length(self) -> bool:
        """Whether the burst has reached its longest duration: then the turn starts without a silence."""
        return time.monotonic() >= self._until

    async def silence(self, newest: Inbound) -> None:
        """Wait until this message is followed by enough silence, or the burst is too long."""
        silence = (datetime.now(UTC) - newest.received_at).total_seconds()
        await asyncio.sleep(max(min(self._quiet_seconds - silence, self._until - time.monotonic()), 0))

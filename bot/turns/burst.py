"""The silence that ends a burst: people send one thought as several messages, and get one answer."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from bot.messages.inbound import Inbound

# Whoever never stops writing gets an answer after this while too.
_LONGEST_SECONDS = 8.0


class Burst:
    """`quiet_seconds` without a new message end a burst; every new message starts the silence anew."""

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet_seconds = quiet_seconds
        self._until = time.monotonic() + _LONGEST_SECONDS

    @property
    def is_over_at_length(self) -> bool:
        """Whether the burst has lasted so long that nobody waits for its silence any more."""
        return time.monotonic() >= self._until

    async def silence(self, newest: Inbound) -> None:
        """Wait until the silence after this message is over."""
        silence = (datetime.now(UTC) - newest.received_at).total_seconds()
        await asyncio.sleep(max(min(self._quiet_seconds - silence, self._until - time.monotonic()), 0))

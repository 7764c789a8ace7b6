"""Waits of tests: for events and not for seconds, because another machine may be slower or busy."""

from __future__ import annotations

import asyncio
import time

PATIENCE = 90.0
"""Longest time that a test waits for an event, in seconds."""


async def next_second() -> None:
    """Wait until the clock shows another second than now.

    Meta's times have whole seconds, so that two equal notifications of one second are the same one, delivered twice.
    """
    now = int(time.time())
    while int(time.time()) == now:
        await asyncio.sleep(1 - time.time() % 1)

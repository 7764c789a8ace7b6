"""The silence that ends a burst: people send one thought as several messages, and get one answer."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from bot.conversations.waiting_list import WaitingList
from bot.messages.inbound import Inbound

# Whoever never stops writing gets an answer after this while too.
_LONGEST_SECONDS = 8.0


class BurstCollector:
    """`quiet_seconds` without a new message end a burst."""

    def __init__(self, waiting_list: WaitingList, quiet_seconds: float) -> None:
        self._waiting_list = waiting_list
        self._quiet_seconds = quiet_seconds

    async def collect(self, conversation: str, waiting: list[Inbound]) -> list[Inbound]:
        """Wait for the silence; give all messages that wait by then. Every new message starts the silence anew."""
        until = time.monotonic() + _LONGEST_SECONDS
        while True:
            silence = (datetime.now(UTC) - waiting[-1].received_at).total_seconds()
            pause = min(self._quiet_seconds - silence, until - time.monotonic())
            if pause <= 0:
                return waiting
            await asyncio.sleep(pause)
            waiting = await self._waiting_list.messages(conversation)

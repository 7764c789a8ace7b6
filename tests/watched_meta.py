"""The simulator of Meta for tests: when a wait times out, the error says what was going on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sandbox.meta.simulator import MetaSimulator
from tests.waiting import PATIENCE, at_most

_Found = TypeVar("_Found")


class WatchedMeta(MetaSimulator):
    async def wait_for(self, condition: Callable[[], _Found], *, within: float = PATIENCE) -> _Found:
        try:
            async with at_most(within):
                return await super().wait_for(condition, within=2 * within)
        except TimeoutError as error:
            error.add_note(f"notifications that the webhook never took: {len(self.delivery.sender.undelivered)}")
            raise

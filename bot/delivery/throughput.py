"""Messages a second that a number may send: as it is set, or as Meta tells."""

from __future__ import annotations

import asyncio

import structlog

from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable

_log = structlog.get_logger()

# https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput
STANDARD, HIGH = 80, 1000
_BY_LEVEL = {"HIGH": HIGH, "STANDARD": STANDARD, "NOT_APPLICABLE": STANDARD}
# Meta raises a number's limit by itself.
_ASK_SECONDS = 3600.0
_ASK_AGAIN_SECONDS = 60.0


class Throughput:
    """The limit of each number; `wanted` is that of the settings. Numbers other than ours have Meta's standard."""

    def __init__(self, wanted: int | None) -> None:
        self._wanted = wanted
        self._found: dict[str, int] = {}

    def of(self, number: str) -> int:
        """Messages a second that Meta takes from this number."""
        return self._wanted or self._found.get(number, STANDARD)

    def after_refusal(self, number: str) -> int:
        """Messages a second for the time after Meta called them too many."""
        return self._wanted or min(self.of(number), STANDARD)

    async def watch(self, graph: Graph) -> None:
        """Ask Meta for our number's limit, now and every hour, unless the settings have one."""
        if self._wanted is not None or not graph.number:
            return
        while True:
            seconds = await self._ask(graph)
            await asyncio.sleep(seconds)

    async def _ask(self, graph: Graph) -> float:
        """Ask once; gives the seconds until the next time."""
        try:
            level = await graph.throughput_level()
        except MetaUnavailable as error:
            _log.warning("throughput_not_asked", why=str(error))
            return _ASK_AGAIN_SECONDS
        except GraphError:
            level = None
        # If Meta doesn't tell the level, we begin high: a refusal then slows us down.
        self._found[graph.number] = HIGH if level is None else _BY_LEVEL.get(level, STANDARD)
        return _ASK_SECONDS

"""Notes what operators do: in the history's stream, at once in the database too, and on the open pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from bot.history import stream
from bot.history.entries import Entry
from bot.history.writer import HistoryWriter
from bot.infra.live_events import LiveEvents

_log = structlog.get_logger()
# The consumer writes it too, so that nobody waits for a locked database.
_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class HistoryRecorder:
    redis: Redis
    writer: HistoryWriter
    events: LiveEvents

    async def add(self, entry: Entry, event: dict[str, Any]) -> None:
        """Note an entry for good, and tell the pages."""
        pipeline = self.redis.pipeline(transaction=True)
        stream.append(pipeline, entry)
        await pipeline.execute()
        await self.show(entry)
        await self.events.publish(event | {"conversation": entry.conversation, "at": entry.at.isoformat()})

    async def show(self, entry: Entry) -> None:
        """Write an entry of the stream to the database now, so that its author sees it. A second write is harmless."""
        try:
            await self.writer.write([entry], _PATIENCE_SECONDS)
        except (SQLAlchemyError, OSError) as error:
            _log.warning("history_follows_later", error=type(error).__name__)

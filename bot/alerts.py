"""What an operator has to know at once: in the log, on the open pages, and as a count to be warned by."""

from __future__ import annotations

import structlog

from bot.events import Events
from bot.metrics import ALERTS

_log = structlog.get_logger()


async def alert(events: Events, kind: str, words: str, fix: str) -> None:
    """Tell the operators; `kind` is a fixed name, `fix` says what to do. Neither holds anything of a person."""
    ALERTS.labels(kind).inc()
    _log.error("alert", kind=kind, words=words, fix=fix)
    await events.publish({"type": "alert", "kind": kind, "words": words, "fix": fix})

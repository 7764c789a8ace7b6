"""Alerts to operators: in the log, on the open pages, and as a metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import structlog
from redis.asyncio import Redis

from bot.infra.live_events import LiveEvents
from bot.infra.metrics import ALERTS

_log = structlog.get_logger()
_KEEP_SECONDS = 30 * 24 * 3600

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """`kind` counts it, `what` is Meta's own name for it, `fix` is what somebody should do."""

    kind: str
    severity: Severity
    what: str
    fix: str


async def alert(events: LiveEvents, kind: str, words: str, fix: str, *, severity: Severity = "error") -> None:
    """Alert the operators; `kind` is a fixed name, `fix` says what to do. Neither holds anything of a person."""
    ALERTS.labels(kind).inc()
    tell = _log.error if severity == "error" else _log.warning
    tell("alert", kind=kind, words=words, fix=fix)
    await events.publish({"type": "alert", "kind": kind, "severity": severity, "words": words, "fix": fix})


class Alerts:
    """Alarms, each raised once a cause, however often Meta repeats it."""

    def __init__(self, redis: Redis, events: LiveEvents) -> None:
        self._redis = redis
        self._events = events

    async def sound(self, alarm: Alarm, cause: str, *, again_after: int = _KEEP_SECONDS) -> bool:
        """Raise an alarm; False if its cause raised one less than `again_after` seconds ago."""
        if not await self._redis.set(f"recado:alert:{cause}", alarm.what, nx=True, ex=again_after):
            return False
        await alert(self._events, alarm.kind, alarm.what, alarm.fix, severity=alarm.severity)
        return True

"""What a person of the company should hear of: once a cause, on the log, the metrics and the open pages."""

from __future__ import annotations

import structlog
from redis.asyncio import Redis

from bot.events import Events
from bot.metrics import ALERTS
from bot.whatsapp.alarms import Alarm

_log = structlog.get_logger()
_KEEP_SECONDS = 30 * 24 * 3600


class Alerts:
    def __init__(self, redis: Redis, events: Events) -> None:
        self._redis = redis
        self._events = events

    async def sound(self, alarm: Alarm, cause: str, *, again_after: int = _KEEP_SECONDS) -> bool:
        """Tell an alarm; False when its cause was told less than `again_after` seconds ago."""
        if not await self._redis.set(f"recado:alert:{cause}", alarm.what, nx=True, ex=again_after):
            return False
        ALERTS.labels(alarm.kind).inc()
        tell = _log.error if alarm.severity == "error" else _log.warning
        tell("alert", kind=alarm.kind, what=alarm.what, fix=alarm.fix)
        facts = {"kind": alarm.kind, "severity": alarm.severity, "what": alarm.what, "fix": alarm.fix}
        await self._events.publish({"type": "alert", **facts})
        return True

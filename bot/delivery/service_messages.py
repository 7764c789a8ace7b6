"""Service messages of each number in a month: Meta gives a thousand of them free, and charges all further ones.

See https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing.
"""

from __future__ import annotations

from datetime import UTC, datetime

from redis.asyncio import Redis

from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.infra.redis import answer

FREE_A_MONTH = 1000
_FREE = "free_customer_service"
_SERVICE = "service"
_UNNAMED = "unknown"
# This month and the last one.
_KEEP_SECONDS = 62 * 24 * 3600


class ServiceMessages:
    def __init__(self, redis: Redis, events: LiveEvents) -> None:
        self._redis = redis
        self._events = events

    async def count(self, number: str, kind: str, category: str) -> None:
        """Count a message by Meta's charge, and alert when it was the last free one of the month."""
        if category != _SERVICE:
            return
        name = _key(datetime.now(UTC))
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hincrby(name, f"{number or _UNNAMED} {kind[:40]}", 1)
        pipeline.expire(name, _KEEP_SECONDS)
        counted, _ = await pipeline.execute()
        if kind == _FREE and counted == FREE_A_MONTH:
            words = (
                f"the {FREE_A_MONTH} free service messages of number {number or _UNNAMED} are used up for this month"
            )
            fix = "none needed: Meta charges the further ones until the month ends; see its prices for your countries"
            await alert(self._events, "free_service_messages", words, fix, severity="warning")

    async def of_month(self) -> dict[tuple[str, str], int]:
        """Messages of this month (UTC) by number and charge."""
        found: dict[str, str] = await answer(self._redis.hgetall(_key(datetime.now(UTC))))
        charges = ((field.partition(" "), count) for field, count in found.items())
        return {(number, kind): int(count) for (number, _, kind), count in charges}


def _key(now: datetime) -> str:
    return f"recado:service_messages:{now:%Y-%m}"

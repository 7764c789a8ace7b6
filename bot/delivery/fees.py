"""Meta's fees: each charge of a status is counted by day, priced by the operator's table, and booked to the budget.

See https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from redis.asyncio import Redis

from bot.conversations.budget import Budget
from bot.infra.metrics import COST
from bot.messages.inbound import Status
from bot.settings.message_prices import MessagePrices

_REGULAR = "regular"
_UNKNOWN = "unknown"
# A year's report, and the month in which it is written.
_KEEP_SECONDS = 400 * 24 * 3600
_MOST_DAYS = 400
_LONGEST_NAME = 40
_UNIT = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class FeeRow:
    """Messages of a day, category, charge and country; `unpriced` of them had no price in the table."""

    day: date
    category: str
    charge: str
    country: str
    messages: int
    usd: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class MetaFees:
    redis: Redis
    prices: MessagePrices
    budget: Budget

    async def count(self, conversation: str, status: Status) -> None:
        """Count a message's charge; the caller does so once for each message."""
        if status.pricing is None:
            return
        kind, category = (_name(label) for label in status.pricing)
        country = self.prices.country_of(status.phone, status.bsuid)
        charged = kind in (_REGULAR, _UNKNOWN)
        price = self.prices.of(country, status.phone, category) if charged else Decimal(0)
        fields = f"{category} {kind} {country}"
        name = _key(self.budget.today)
        pipeline = self.redis.pipeline(transaction=True)
        pipeline.hincrby(name, f"messages {fields}", 1)
        if price is None:
            pipeline.hincrby(name, f"unpriced {fields}", 1)
        elif price:
            pipeline.hincrby(name, f"usd {fields}", int(price / _UNIT))
            self.budget.charge(pipeline, conversation, price)
        pipeline.expire(name, _KEEP_SECONDS)
        await pipeline.execute()
        if price:
            COST.labels("whatsapp").inc(float(price))


async def fees_of(redis: Redis, first: date, last: date) -> list[FeeRow]:
    """The fees of these days (of the business's time zone), both included, in order; 400 days at most."""
    days = [first + timedelta(days=number) for number in range(min((last - first).days + 1, _MOST_DAYS))]
    pipeline = redis.pipeline(transaction=False)
    for day in days:
        pipeline.hgetall(_key(day.isoformat()))
    found = await pipeline.execute() if days else []
    return [row for day, counts in zip(days, found, strict=True) for row in _rows(day, counts)]


def _rows(day: date, counts: dict[str, str]) -> list[FeeRow]:
    rows = []
    for field, messages in sorted(counts.items()):
        what, category, charge, country = field.split(" ", 3)
        if what != "messages":
            continue
        rest = f"{category} {charge} {country}"
        usd, unpriced = int(counts.get(f"usd {rest}", 0)) * _UNIT, int(counts.get(f"unpriced {rest}", 0))
        rows.append(FeeRow(day, category, charge, country, int(messages), usd.normalize() + 0, unpriced))
    return rows


def _name(word: str) -> str:
    """A word of Meta as part of a field's name."""
    return "_".join(word.lower().split())[:_LONGEST_NAME] or _UNKNOWN


def _key(day: str) -> str:
    return f"recado:fees:{day}"

"""What may be spent in a day, on one person and in all: reserved before something is asked for, settled after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import structlog
from redis.asyncio import Redis

from bot.ai.chat import BudgetSpent
from bot.infra.metrics import BUDGET_SPENT
from bot.infra.redis import answer, key
from bot.settings import BudgetSettings

_log = structlog.get_logger()
# Redis counts in whole numbers: billionths of a dollar are exact up to nine million dollars a day.
_UNIT = Decimal("0.000000001")
_KEEP_SECONDS = 2 * 24 * 3600

# All of it or nothing. KEYS 1 what is spent. ARGV what it may cost at most, the limit, in units.
_RESERVE = f"""
if tonumber(redis.call('GET', KEYS[1]) or '0') + ARGV[1] > tonumber(ARGV[2]) then return 0 end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], {_KEEP_SECONDS})
return 1
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """A day is one of the business's time zone. What a process had reserved when it died stays spent that day."""

    redis: Redis
    settings: BudgetSettings
    zone: ZoneInfo

    def account(self, conversation: str) -> UsageAccount:
        """The purse of one conversation."""
        return UsageAccount(self, conversation)

    @property
    def today(self) -> str:
        return datetime.now(self.zone).date().isoformat()

    async def spent(self, conversation: str | None = None) -> Decimal:
        """USD that were spent or are reserved today, on one person or in all."""
        name = _contact(conversation, self.today) if conversation else _total(self.today)
        return int(await self.redis.get(name) or 0) * _UNIT


@dataclass(frozen=True, slots=True)
class UsageAccount:
    """A `Purse` (bot/ai/chat.py) over the limits of one person and of all together."""

    budget: Budget
    conversation: str

    @property
    def economy(self) -> str | None:
        settings = self.budget.settings
        return settings.model if settings.when_spent == "cheaper" else None

    async def reserve(self, usd: Decimal, *, economy: bool = False) -> None:
        """Set a sum aside; raises BudgetSpent. The cheap model that goes on may spend the same sum again."""
        day, settings, times = self.budget.today, self.budget.settings, 2 if economy else 1
        if not await self._take(_contact(self.conversation, day), usd, settings.contact_usd_day * times):
            raise self._spent("contact")
        if not await self._take(_total(day), usd, settings.total_usd_day * times):
            await answer(self.budget.redis.decrby(_contact(self.conversation, day), _units(usd)))
            raise self._spent("total")

    async def settle(self, reserved: Decimal, usd: Decimal) -> None:
        """Put back what was not spent, or take what it cost beyond the guess: that is paid already."""
        difference = _units(usd) - _units(reserved)
        if difference:
            day = self.budget.today
            pipeline = self.budget.redis.pipeline(transaction=False)
            pipeline.incrby(_contact(self.conversation, day), difference)
            pipeline.incrby(_total(day), difference)
            await pipeline.execute()

    async def _take(self, name: str, usd: Decimal, limit: Decimal) -> bool:
        asked, most = str(_units(usd)), str(_units(limit))
        return bool(await answer(self.budget.redis.eval(_RESERVE, 1, name, asked, most)))

    @staticmethod
    def _spent(whose: Literal["contact", "total"]) -> BudgetSpent:
        BUDGET_SPENT.labels(whose).inc()
        _log.warning("budget_spent", whose=whose, fix="see BUDGET_CONTACT_USD_DAY and BUDGET_TOTAL_USD_DAY")
        return BudgetSpent(whose)


def _units(usd: Decimal) -> int:
    return int((usd / _UNIT).to_integral_value(ROUND_UP))


def _contact(conversation: str, day: str) -> str:
    return key(conversation, "spent", day)


def _total(day: str) -> str:
    return f"recado:spent:{day}"

"""What may be spent in a day, on one person and in all: reserved before something is asked for, settled after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.ai.chat import BudgetSpent
from bot.infra.metrics import BUDGET_SPENT
from bot.infra.redis import answer, key
from bot.settings import BudgetSettings

_log = structlog.get_logger()
# Redis counts in whole numbers: billionths of a dollar are exact up to nine million dollars a day.
_UNIT = Decimal("0.000000001")
_KEEP_SECONDS = 2 * 24 * 3600

# All of it or nothing. KEYS 1 what one person spent, 2 what all spent. ARGV in units: 1 what it may cost at most, 2 and
# 3 the limits of the two, 4 by how much earlier reservations were wrong. Gives which limit is in the way, or 0.
_RESERVE = f"""
for index = 1, 2 do
  if ARGV[4] ~= '0' then redis.call('INCRBY', KEYS[index], ARGV[4]) end
end
for index = 1, 2 do
  if tonumber(redis.call('GET', KEYS[index]) or '0') + ARGV[1] > tonumber(ARGV[index + 1]) then return index end
end
for index = 1, 2 do
  redis.call('INCRBY', KEYS[index], ARGV[1])
  redis.call('EXPIRE', KEYS[index], {_KEEP_SECONDS})
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """A day is one of the business's time zone. What a process had reserved when it died stays spent that day."""

    redis: Redis
    settings: BudgetSettings
    zone: ZoneInfo

    def account(self, conversation: str) -> UsageAccount:
        """A SpendingLimit of one conversation, which settles at once."""
        return UsageAccount(self, conversation)

    def turn_account(self, conversation: str) -> TurnAccount:
        """A SpendingLimit of one turn, which settles with the turn's next reservation or its last write."""
        return TurnAccount(self, conversation)

    async def reserve(self, conversation: str, usd: Decimal, times: int, settled: int = 0) -> None:
        """Set a sum aside, within so many times the limits; `settled` units are booked with it. Raises BudgetSpent."""
        day, settings = self.today, self.settings
        limits = (settings.contact_usd_day * times, settings.total_usd_day * times)
        arguments = (str(_units(usd)), *(str(_units(limit)) for limit in limits), str(settled))
        names = (_contact(conversation, day), _total(day))
        refused = int(await answer(self.redis.eval(_RESERVE, 2, *names, *arguments)))
        if refused:
            whose: Literal["contact", "total"] = "contact" if refused == 1 else "total"
            BUDGET_SPENT.labels(whose).inc()
            _log.warning("budget_spent", whose=whose, fix="see BUDGET_CONTACT_USD_DAY and BUDGET_TOTAL_USD_DAY")
            raise BudgetSpent(whose)

    def book(self, pipeline: Any, conversation: str, units: int) -> None:
        """Book units, within a pipeline, that were spent beyond what was reserved; below zero they are put back."""
        if units:
            day = self.today
            for name in (_contact(conversation, day), _total(day)):
                pipeline.incrby(name, units)
                pipeline.expire(name, _KEEP_SECONDS)

    @property
    def today(self) -> str:
        return datetime.now(self.zone).date().isoformat()

    async def spent(self, conversation: str | None = None) -> Decimal:
        """USD that were spent or are reserved today, on one person or in all."""
        name = _contact(conversation, self.today) if conversation else _total(self.today)
        return int(await self.redis.get(name) or 0) * _UNIT


@dataclass(frozen=True, slots=True)
class UsageAccount:
    """A SpendingLimit (bot.ai.chat) over the limits of one person and of all together."""

    budget: Budget
    conversation: str

    @property
    def economy(self) -> str | None:
        settings = self.budget.settings
        return settings.model if settings.when_spent == "cheaper" else None

    async def reserve(self, usd: Decimal, *, economy: bool = False) -> None:
        """Set a sum aside; raises BudgetSpent. The cheap model that goes on may spend the same sum again."""
        await self.budget.reserve(self.conversation, usd, 2 if economy else 1)

    async def settle(self, reserved: Decimal, usd: Decimal) -> None:
        """Put back what was not spent, or book what it cost beyond the guess: that is paid already."""
        pipeline = self.budget.redis.pipeline(transaction=False)
        self.budget.book(pipeline, self.conversation, _units(usd) - _units(reserved))
        if pipeline.command_stack:
            await pipeline.execute()


@dataclass(slots=True)
class TurnAccount:
    """The same for one turn. A turn that dies before it is settled leaves its reservations spent that day."""

    budget: Budget
    conversation: str
    _unsettled: int = 0

    @property
    def economy(self) -> str | None:
        return self.budget.account(self.conversation).economy

    async def reserve(self, usd: Decimal, *, economy: bool = False) -> None:
        """Set a sum aside; raises BudgetSpent."""
        settled, self._unsettled = self._unsettled, 0
        try:
            await self.budget.reserve(self.conversation, usd, 2 if economy else 1, settled)
        except (RedisError, OSError):
            self._unsettled += settled
            raise

    async def settle(self, reserved: Decimal, usd: Decimal) -> None:
        """Note by how much a reservation was wrong; `write` books it."""
        self._unsettled += _units(usd) - _units(reserved)

    def write(self, pipeline: Any) -> None:
        """Book what is not settled yet, within the transaction that closes the turn."""
        self.budget.book(pipeline, self.conversation, self._unsettled)


def _units(usd: Decimal) -> int:
    return int((usd / _UNIT).to_integral_value(ROUND_UP))


def _contact(conversation: str, day: str) -> str:
    return key(conversation, "spent", day)


def _total(day: str) -> str:
    return f"recado:spent:{day}"

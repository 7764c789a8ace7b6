"""Budget of a day, for one person and for all: reserved before a model is asked, settled afterwards."""

from __future__ import annotations

import secrets
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
# The account of replays, in the place of a conversation.
REPLAYS = "replays"

# Longer than any command is tried again.
_REMEMBER_SECONDS = 60

# Books what earlier reservations got wrong, then reserves all or nothing. The answer is kept, because a client whose
# connection breaks asks again, and a reservation counts once. KEYS 1 what one person spent, 2 what all spent, 3 answer
# of this reservation. ARGV in units: 1 most that it may cost, 2 and 3 limits of the two, 4 what to book. Gives which
# limit is in the way, or 0.
_RESERVE = f"""
local before = redis.call('GET', KEYS[3])
if before then return tonumber(before) end
local refused = 0
for index = 1, 2 do
  redis.call('INCRBY', KEYS[index], ARGV[4])
  redis.call('EXPIRE', KEYS[index], {_KEEP_SECONDS})
end
for index = 2, 1, -1 do
  if redis.call('GET', KEYS[index]) + ARGV[1] > tonumber(ARGV[index + 1]) then refused = index end
end
for index = 1, refused == 0 and 2 or 0 do redis.call('INCRBY', KEYS[index], ARGV[1]) end
redis.call('SET', KEYS[3], refused, 'EX', {_REMEMBER_SECONDS})
return refused
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """Budget by the day of the business's time zone. A process that dies leaves its reservations spent that day."""

    redis: Redis
    settings: BudgetSettings
    zone: ZoneInfo

    def account(self, conversation: str) -> UsageAccount:
        """A SpendingLimit of one conversation, which settles at once."""
        return UsageAccount(self, conversation)

    def replay_account(self) -> ReplayAccount:
        """A SpendingLimit of all replays, which no person's limit holds."""
        return ReplayAccount(self)

    def turn_account(self, conversation: str) -> TurnAccount:
        """A SpendingLimit of one turn, which settles with the turn's next reservation or its last write."""
        return TurnAccount(self, conversation)

    async def reserve(self, conversation: str, usd: Decimal, times: int, settled: int = 0) -> None:
        """Reserve a sum within `times` the limits, and book `settled` units with it. Raises BudgetSpent."""
        settings = self.settings
        limits = (settings.contact_usd_day * times, settings.total_usd_day * times)
        await self._reserve(conversation, _units(usd), limits, settled)

    async def reserve_for_replay(self, usd: Decimal) -> None:
        """Reserve a sum within the limit of all. Raises BudgetSpent."""
        await self._reserve(REPLAYS, _units(usd), (self.settings.total_usd_day,) * 2, 0)

    async def _reserve(self, conversation: str, units: int, limits: tuple[Decimal, Decimal], settled: int) -> None:
        refused = await self._run(conversation, units, limits, settled)
        if refused:
            whose: Literal["contact", "total"] = "contact" if refused == 1 else "total"
            BUDGET_SPENT.labels(whose).inc()
            _log.warning("budget_spent", whose=whose, fix="see BUDGET_CONTACT_USD_DAY and BUDGET_TOTAL_USD_DAY")
            raise BudgetSpent(whose)

    async def settle(self, conversation: str, units: int) -> None:
        """Book units, once, that were spent beyond a reservation; negative units are refunded."""
        if units:
            await self._run(conversation, 0, (self.settings.contact_usd_day, self.settings.total_usd_day), units)

    async def _run(self, conversation: str, units: int, limits: tuple[Decimal, Decimal], settled: int) -> int:
        day = self.today
        arguments = (str(units), *(str(_units(limit)) for limit in limits), str(settled))
        names = (_contact(conversation, day), _total(day), key(conversation, "reserved", secrets.token_hex(6)))
        return int(await answer(self.redis.eval(_RESERVE, 3, *names, *arguments)))

    def book(self, pipeline: Any, conversation: str, units: int) -> None:
        """Book units in a pipeline that were spent beyond a reservation; negative units are refunded."""
        if units:
            day = self.today
            for name in (_contact(conversation, day), _total(day)):
                pipeline.incrby(name, units)
                pipeline.expire(name, _KEEP_SECONDS)

    def charge(self, pipeline: Any, conversation: str, usd: Decimal) -> None:
        """Book a sum in a pipeline that another charges, such as Meta for a message."""
        self.book(pipeline, conversation, _units(usd))

    @property
    def today(self) -> str:
        return datetime.now(self.zone).date().isoformat()

    async def spent(self, conversation: str | None = None) -> Decimal:
        """USD spent or reserved today, by one person or by all."""
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
        """Reserve a sum; raises BudgetSpent. The economy model may spend the limit a second time."""
        await self.budget.reserve(self.conversation, usd, 2 if economy else 1)

    async def settle(self, reserved: Decimal, usd: Decimal) -> None:
        """Refund the unspent part, or book the cost beyond the reservation: that is paid already."""
        await self.budget.settle(self.conversation, _units(usd) - _units(reserved))


@dataclass(frozen=True, slots=True)
class ReplayAccount:
    """SpendingLimit of replays in the console: they count among the costs of all, and in no person's."""

    budget: Budget
    economy: str | None = None

    async def reserve(self, usd: Decimal, *, economy: bool = False) -> None:  # noqa: ARG002 - replays have no economy
        """Reserve a sum; raises BudgetSpent."""
        await self.budget.reserve_for_replay(usd)

    async def settle(self, reserved: Decimal, usd: Decimal) -> None:
        """Refund the unspent part, or book the cost beyond the reservation."""
        await self.budget.settle(REPLAYS, _units(usd) - _units(reserved))


@dataclass(slots=True)
class TurnAccount:
    """SpendingLimit of one turn. A turn that dies before its last write leaves its reservations spent that day."""

    budget: Budget
    conversation: str
    _unsettled: int = 0

    @property
    def economy(self) -> str | None:
        return self.budget.account(self.conversation).economy

    async def reserve(self, usd: Decimal, *, economy: bool = False) -> None:
        """Reserve a sum; raises BudgetSpent."""
        settled, self._unsettled = self._unsettled, 0
        try:
            await self.budget.reserve(self.conversation, usd, 2 if economy else 1, settled)
        except (RedisError, OSError):
            # Because Redis may have booked it all the same, we rather lose a refund than give it twice.
            self._unsettled += max(settled, 0)
            raise

    async def settle(self, reserved: Decimal, usd: Decimal) -> None:
        """Remember the difference to the reservation; the next reservation or `write` books it."""
        self._unsettled += _units(usd) - _units(reserved)

    def write(self, pipeline: Any) -> None:
        """Book the remaining differences within the transaction that closes the turn."""
        self.budget.book(pipeline, self.conversation, self._unsettled)


def _units(usd: Decimal) -> int:
    return int((usd / _UNIT).to_integral_value(ROUND_UP))


def _contact(conversation: str, day: str) -> str:
    return key(conversation, "spent", day)


def _total(day: str) -> str:
    return f"recado:spent:{day}"

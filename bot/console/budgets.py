"""The day's budget as people see it: spent and allowed, by kind, and the contacts that cost most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import func, select

from bot.conversations.budget import REPLAYS, Budget
from bot.conversations.contacts import Contacts
from bot.conversations.events import person
from bot.database.engine import Database
from bot.delivery.fees import fees_of
from bot.history.tables import TURNS

_MOST_CONTACTS = 10


@dataclass(frozen=True, slots=True)
class DayBudget:
    redis: Redis
    database: Database
    budget: Budget
    contacts: Contacts

    async def today(self) -> dict[str, Any]:
        """Sums of today in USD, by the day of the business's time zone."""
        settings, day = self.budget.settings, date.fromisoformat(self.budget.today)
        spent = await self.budget.spent()
        turns, dearest = await self._turns(day)
        fees = sum((row.usd for row in await fees_of(self.redis, day, day)), Decimal(0))
        # The history follows Redis by a moment, and a turn under way has reserved more than it costs.
        replays = await self.budget.spent(REPLAYS)
        other = max(spent - turns - fees - replays, Decimal(0))
        tried = (("replays", replays),) if replays else ()
        kinds = (("turns", turns), ("whatsapp", fees), *tried, ("other", other))
        return {
            "day": day.isoformat(),
            "spent_usd": float(spent),
            "limit_usd": float(settings.total_usd_day),
            "contact_limit_usd": float(settings.contact_usd_day),
            "when_spent": settings.when_spent,
            "kinds": [{"name": name, "usd": float(usd)} for name, usd in kinds],
            "contacts": [
                {
                    "conversation": conversation,
                    "contact": person(await self.contacts.get(conversation)),
                    "spent_usd": float(await self.budget.spent(conversation)),
                }
                for conversation in dearest
            ],
        }

    async def _turns(self, day: date) -> tuple[Decimal, list[str]]:
        """The cost of the day's turns, and the conversations that cost most."""
        start = datetime.combine(day, time.min, self.budget.zone)
        cost = func.sum(TURNS.c.cost_usd)
        todays = (TURNS.c.at >= start, TURNS.c.at < datetime.combine(day + timedelta(days=1), time.min, start.tzinfo))
        whole = select(func.coalesce(cost, 0)).where(*todays)
        each = select(TURNS.c.conversation).where(*todays, TURNS.c.cost_usd > 0).group_by(TURNS.c.conversation)
        async with self.database.reading() as connection:
            spent = Decimal(str((await connection.execute(whole)).scalar_one()))
            found = await connection.execute(each.order_by(cost.desc(), TURNS.c.conversation).limit(_MOST_CONTACTS))
            return spent, list(found.scalars())

"""Reports over days: conversations, who resolved them, how fast the first answer came, and their cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from redis.asyncio import Redis
from sqlalchemy import ColumnElement, Select, and_, distinct, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database
from bot.delivery.fees import fees_of
from bot.history.tables import CHANGES, HANDOVERS, MESSAGES, TURNS
from bot.messages.rating import GRADES

LONGEST_DAYS = 92
_MOST_FIRST_ANSWERS = 5000
_MOST_REASONS = 20
# A first answer that takes longer than this after its day counts as none.
_ANSWERED_WITHIN = timedelta(days=1)
_PEOPLE = ("asked", "taken")


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """From a moment until before another one."""

    since: datetime
    until: datetime

    def holds(self, column: ColumnElement[datetime]) -> ColumnElement[bool]:
        return and_(column >= self.since, column < self.until)


class Reports:
    """`zone` says when a day begins."""

    def __init__(self, database: Database, redis: Redis, zone: ZoneInfo) -> None:
        self._database = database
        self._redis = redis
        self._zone = zone

    async def over(self, first: date, last: date) -> dict[str, Any]:
        """The report from one day to another, both included: `{from, to, totals, days, hand_over_reasons}`."""
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        whole = ReportPeriod(self._start(first), self._start(last + timedelta(days=1)))
        async with self._database.reading() as connection:
            by_day = [{"day": day.isoformat()} | await _figures(connection, self._day(day)) for day in days]
            totals = await _figures(connection, whole)
            thumbs = {name: await _thumbs(connection, whole, signs) for name, signs in _THUMBS.items()}
            reasons = await _reasons(connection, whole)
        fees = sum((row.usd for row in await fees_of(self._redis, first, last)), Decimal(0))
        costs = [{"name": "models", "value": totals["cost_usd"]}, {"name": "whatsapp", "value": float(fees)}]
        totals["cost_usd"] += float(fees)
        resolved = totals["resolved_by_assistant"]
        totals |= thumbs
        totals["resolved_share"] = resolved / totals["conversations"] if totals["conversations"] else None
        rated = sum(totals[f"rated_{grade}"] for grade in GRADES)
        totals["csat"] = totals["rated_good"] / rated if rated else None
        totals["cost_per_resolved_usd"] = totals["cost_usd"] / resolved if resolved else None
        return {
            "from": first.isoformat(),
            "to": last.isoformat(),
            "totals": totals,
            "days": by_day,
            "hand_over_reasons": reasons,
            "costs": costs,
        }

    def today(self) -> date:
        return datetime.now(self._zone).date()

    def _start(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self._zone)

    def _day(self, day: date) -> ReportPeriod:
        return ReportPeriod(self._start(day), self._start(day + timedelta(days=1)))


_THUMBS: dict[str, tuple[str, ...]] = {"thumbs_up": ("👍", "❤️", "🙏"), "thumbs_down": ("👎", "😡")}


async def _figures(connection: AsyncConnection, period: ReportPeriod) -> dict[str, Any]:
    """Numbers of one period. A conversation counts if its customer wrote."""
    query = select(func.count(distinct(MESSAGES.c.conversation))).where(_by(period, "customer"))
    handed = select(func.count(distinct(HANDOVERS.c.conversation))).where(
        period.holds(HANDOVERS.c.at), HANDOVERS.c.action.in_(_PEOPLE)
    )
    spent = select(func.coalesce(func.sum(TURNS.c.cost_usd), 0)).where(period.holds(TURNS.c.at))
    return {
        "conversations": await _number(connection, query),
        "resolved_by_assistant": await _number(connection, _resolved(period)),
        "handed_over": await _number(connection, handed),
        "first_answer_ms": await _first_answer(connection, period),
        "cost_usd": float(Decimal(str((await connection.execute(spent)).scalar_one()))),
    } | await _ratings(connection, period)


def _by(period: ReportPeriod, author: str) -> ColumnElement[bool]:
    return and_(period.holds(MESSAGES.c.at), MESSAGES.c.author == author, MESSAGES.c.kind != "rating")


def _resolved(period: ReportPeriod) -> Select[Any]:
    """Conversations that the assistant answered, and no person had to."""
    theirs, ours, persons = MESSAGES.alias(), MESSAGES.alias(), MESSAGES.alias()
    same = [other.c.conversation == theirs.c.conversation for other in (ours, persons)]
    answered = exists().where(same[0], period.holds(ours.c.at), ours.c.author == "assistant")
    by_person = exists().where(same[1], period.holds(persons.c.at), persons.c.author == "operator")
    handed = exists().where(
        HANDOVERS.c.conversation == theirs.c.conversation,
        period.holds(HANDOVERS.c.at),
        HANDOVERS.c.action.in_(_PEOPLE),
    )
    return select(func.count(distinct(theirs.c.conversation))).where(
        period.holds(theirs.c.at),
        theirs.c.author == "customer",
        theirs.c.kind != "rating",
        answered,
        ~by_person,
        ~handed,
    )


async def _first_answer(connection: AsyncConnection, period: ReportPeriod) -> float | None:
    """The median time from a conversation's first message to its first answer, in milliseconds."""
    first = (
        select(MESSAGES.c.conversation, func.min(MESSAGES.c.at).label("at"))
        .where(_by(period, "customer"))
        .group_by(MESSAGES.c.conversation)
        .limit(_MOST_FIRST_ANSWERS)
        .subquery()
    )
    answer = MESSAGES.alias()
    answered_at = (
        select(func.min(answer.c.at))
        .where(
            answer.c.conversation == first.c.conversation,
            answer.c.author.in_(("assistant", "operator")),
            answer.c.at >= first.c.at,
            answer.c.at < period.until + _ANSWERED_WITHIN,
        )
        .scalar_subquery()
    )
    rows = (await connection.execute(select(first.c.at, answered_at.label("answered_at")))).all()
    times = [(row.answered_at - row.at).total_seconds() * 1000 for row in rows if row.answered_at is not None]
    return round(median(times), 1) if times else None


async def _ratings(connection: AsyncConnection, period: ReportPeriod) -> dict[str, Any]:
    """Numbers of ratings by their grade. A rating of what we never asked counts as none."""
    question = exists().where(
        MESSAGES.c.conversation == CHANGES.c.conversation,
        MESSAGES.c.name == CHANGES.c.target,
        MESSAGES.c.author != "customer",
    )
    query = (
        select(CHANGES.c.value, func.count())
        .where(period.holds(CHANGES.c.at), CHANGES.c.kind == "rating", question)
        .group_by(CHANGES.c.value)
    )
    counts: dict[str, int] = {str(grade): number for grade, number in await connection.execute(query)}
    return {f"rated_{grade}": counts.get(grade, 0) for grade in GRADES}


async def _thumbs(connection: AsyncConnection, period: ReportPeriod, signs: Sequence[str]) -> int:
    given = (CHANGES.c.kind == "reaction", CHANGES.c.author == "customer", CHANGES.c.value.in_(signs))
    query = select(func.count()).select_from(CHANGES).where(period.holds(CHANGES.c.at), *given)
    return await _number(connection, query)


async def _reasons(connection: AsyncConnection, period: ReportPeriod) -> list[dict[str, Any]]:
    count = func.count().label("count")
    query = (
        select(HANDOVERS.c.reason, count)
        .where(period.holds(HANDOVERS.c.at), HANDOVERS.c.action == "asked", HANDOVERS.c.reason.is_not(None))
        .group_by(HANDOVERS.c.reason)
        .order_by(count.desc(), HANDOVERS.c.reason)
        .limit(_MOST_REASONS)
    )
    return [{"reason": reason, "count": number} for reason, number in await connection.execute(query)]


async def _number(connection: AsyncConnection, query: Select[Any]) -> int:
    return int((await connection.execute(query)).scalar_one())

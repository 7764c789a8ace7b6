"""Stripe's arithmetic of time: calendar months from an anchor, and amounts by the second."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_MONTHS = {"month": 1, "year": 12}


def anchored(anchor: int, count: int, recurring: dict[str, Any]) -> int:
    """The start of the period number `count` from the anchor: the same day, or the month's last day.

    31 January, 28 February, 31 March (https://docs.stripe.com/billing/subscriptions/billing-cycle).
    """
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.month - 1 + count * _MONTHS[recurring["interval"]] * int(recurring["interval_count"])
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def period_after(anchor: int, moment: int, recurring: dict[str, Any]) -> int:
    """The end of the period that contains the moment, counted from the anchor."""
    count = 1
    while (end := anchored(anchor, count, recurring)) <= moment:
        count += 1
    return end


def share(amount: int, at: int, start: int, end: int) -> int:
    """The part of the amount for the seconds from `at` to the end of the period, in minor units, half up."""
    if not start <= at <= end or start == end:
        raise ValueError("the moment lies outside the period")
    return int((Decimal(amount) * (end - at) / (end - start)).quantize(Decimal(1), ROUND_HALF_UP))

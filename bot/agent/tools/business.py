"""Opening hours and facts of the business, from the operator's file."""

from __future__ import annotations

import json

from bot.agent.tool import NoArguments, ToolContext, tool

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@tool(NoArguments)
async def business_hours(_: NoArguments, context: ToolContext) -> str:
    """The opening hours of the business, whether it is open right now and when it opens next, its address and
    other facts. Call it for any question about hours, days, location, plans, prices or ways to pay.
    """
    business, now = context.business, context.now
    opening = business.next_opening(now)
    week = {
        day: [f"{start:%H:%M}-{end:%H:%M}" for start, end in ranges] or "closed"
        for day, ranges in zip(_DAYS, business.hours, strict=True)
    }
    return json.dumps(
        {
            "now": now.strftime("%A %Y-%m-%d %H:%M"),
            "open_now": business.open_at(now),
            "opens_next": opening.strftime("%A %Y-%m-%d %H:%M") if opening else None,
            "hours": week,
            "closed_on": sorted(day.isoformat() for day in business.closed if day >= now.date()),
            "facts": business.facts,
        },
        ensure_ascii=False,
    )

"""Webhooks about the account and its owners: alerts by severity, and hand-overs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.notifications import post_raw
from tests.waiting import PATIENCE
from tests.world import Start

# Field, Meta's value, and how bad it is: None if nobody has to do anything.
ACCOUNT_EVENTS: list[tuple[str, dict[str, Any], str | None]] = [
    ("account_update", {"event": "ACCOUNT_RECONNECTED"}, None),
    ("account_update", {"event": "ACCOUNT_OFFBOARDED"}, "error"),
    ("account_update", {"event": "ACCOUNT_DELETED"}, "error"),
    ("account_update", {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SPAM"}}, "error"),
    ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}, "error"),
    ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}, None),
    ("account_update", {"event": "PARTNER_ADDED"}, None),
    ("account_update", {"event": "PARTNER_REMOVED"}, "error"),
    ("account_update", {"event": "PARTNER_APP_INSTALLED"}, None),
    ("account_update", {"event": "PARTNER_APP_UNINSTALLED"}, "error"),
    ("account_update", {"event": "AD_ACCOUNT_LINKED"}, None),
    ("account_update", {"event": "MM_LITE_TERMS_SIGNED"}, None),
    ("account_update", {"event": "VOLUME_BASED_PRICING_TIER_UPDATE", "volume_tier_info": {"tier": "1:2"}}, None),
    ("account_update", {"event": "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", "country": "MX"}, "warning"),
    ("account_update", {"event": "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE"}, "warning"),
    ("account_update", {"event": "EVENT_OF_NEXT_YEAR"}, "warning"),
    ("account_update", {}, "warning"),
    *(
        ("account_update", {"event": "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
                            "partner_client_certification_info": {"status": status}}, severity)
        for status, severity in (("APPROVED", None), ("PENDING", None), ("FAILED", "warning"))
    ),
    *(
        ("account_alerts",
         {"alert_info": {"alert_severity": severity, "alert_status": status, "alert_type": kind}}, bad)
        for severity, status, kind, bad in (
            ("INFORMATIONAL", "ACTIVE", "OBA_APPROVED", None),
            ("WARNING", "ACTIVE", "OBA_APPROVED", None),
            ("INFORMATIONAL", "ACTIVE", "OBA_REJECTED", "warning"),
            ("CRITICAL", "NONE", "PROFILE_PICTURE_LOST", None),
            ("WARNING", "ACTIVE", "INCREASED_CAPABILITIES_ELIGIBILITY_FAILED", "warning"),
            ("CRITICAL", "ACTIVE", "KIND_OF_NEXT_YEAR", "error"),
        )
    ),
    ("account_review_update", {"decision": "APPROVED"}, None),
    ("account_review_update", {"decision": "PENDING"}, None),
    ("account_review_update", {"decision": "DEFERRED"}, "warning"),
    *(
        ("phone_number_quality_update", {"event": event}, severity)
        for event, severity in (
            ("ONBOARDING", None), ("THROUGHPUT_UPGRADE", None), ("UNFLAGGED", None), ("UPGRADE", None),
            ("DOWNGRADE", "error"), ("EVENT_OF_NEXT_YEAR", "warning"),
        )
    ),
    ("phone_number_name_update", {"decision": "APPROVED"}, None),
    ("phone_number_name_update", {"decision": "REJECTED"}, "warning"),
    ("business_capability_update", {"max_daily_conversations_per_business": -1}, None),
    ("business_capability_update", {"max_daily_conversations_per_business": "TIER_UNLIMITED"}, None),
    ("business_capability_update", {"max_daily_conversations_per_business": "TIER_250"}, "warning"),
    ("security", {"event": "PIN_CHANGED"}, "error"),
]  # fmt: skip


async def test_good_news_alerts_nobody(start: Start) -> None:
    world = await start(workers=0)
    async with world.redis.pubsub(ignore_subscribe_messages=True) as stream:
        await stream.subscribe("recado:events")
        while (await world.redis.pubsub_numsub("recado:events"))[0][1] == 0:
            await asyncio.sleep(0.01)
        for number, (field, value, _) in enumerate(ACCOUNT_EVENTS):
            entry = {"id": "1", "time": 1795500000 + number, "changes": [{"field": field, "value": value}]}
            await post_raw(world, {"object": "whatsapp_business_account", "entry": [entry]})
        await world.redis.publish("recado:events", '{"type": "over"}')
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE):
            while not events or events[-1]["type"] != "over":
                if found := await stream.get_message(timeout=1):
                    events.append(json.loads(found["data"]))
    expected = [(field, severity) for field, _, severity in ACCOUNT_EVENTS if severity]
    assert [(event["kind"], event["severity"]) for event in events[:-1]] == expected


MOVES: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "passed": (
        {"type": "control_passed", "control_passed": {"metadata": "why", "new_owner_role": "escalation"}},
        ("control_passed", "escalation"),
    ),
    "taken": (
        {"type": "control_taken", "control_taken": {"previous_owner_role": "mba", "new_owner_role": "escalation"}},
        ("control_taken", "escalation"),
    ),
    "taken, with the roles of apps": (
        {"type": "control_taken", "control_taken": {"new_owner_app_role": "primary"}},
        ("control_taken", "primary"),
    ),
    "taken, with no type": ({"control_taken": {"new_owner_role": "mba"}}, ("control_taken", "mba")),
    "taken, with nothing said": ({"type": "control_taken", "control_taken": "now"}, ("control_taken", "unknown")),
    "of next year": ({"type": "control_lent", "control_lent": {"new_owner_role": "mba"}}, ("unknown", "mba")),
}


async def test_control_that_was_taken_is_not_told_as_passed(start: Start) -> None:
    world = await start(workers=0)
    async with world.redis.pubsub(ignore_subscribe_messages=True) as stream:
        await stream.subscribe("recado:events")
        while (await world.redis.pubsub_numsub("recado:events"))[0][1] == 0:
            await asyncio.sleep(0.01)
        for number, (value, _) in enumerate(MOVES.values()):
            change = {"field": "messaging_handovers", "value": {"sender": {"phone_number": "5215512345678"}} | value}
            entry = {"id": "1", "time": 1795500000 + number, "changes": [change]}
            await post_raw(world, {"object": "whatsapp_business_account", "entry": [entry]})
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE):
            while len(events) < len(MOVES):
                if found := await stream.get_message(timeout=1):
                    events.append(json.loads(found["data"]))
    assert [(event["move"], event["to"]) for event in events] == [expected for _, expected in MOVES.values()]

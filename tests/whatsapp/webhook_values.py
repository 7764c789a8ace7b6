"""Webhook bodies of Meta for tests of the parser."""

import json
from datetime import UTC, datetime
from typing import Any

from bot.whatsapp.payload import Notification, parse

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


ANA: dict[str, Any] = {"profile": {"name": "Ana"}, "wa_id": "5215512345678", "user_id": "MX.8801"}


FROM_ANA = {"from": "5215512345678", "from_user_id": "MX.8801", "id": "wamid.1", "timestamp": "1764000000"}


METADATA = {"display_phone_number": "+52 55 0000-1111", "phone_number_id": "1060000000"}


def notification(*values: Any, field: str = "messages", **around: Any) -> Notification:
    changes = [{"field": field, "value": value} for value in values]
    whole = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]} | around
    return parse(json.dumps(whole).encode(), NOW)


def value(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"metadata": METADATA, "contacts": [ANA], "messages": list(messages)} | more

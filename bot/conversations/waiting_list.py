"""A message as it lies in the waiting list, which may be older than this version of Recado."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from bot.infra.logs import masked
from bot.messages.inbound import Inbound, Unsupported

_log = structlog.get_logger()


def written(raw: str) -> Inbound:
    """A waiting message. One that another version of Recado wrote and this one can't read is answered as unreadable."""
    try:
        return Inbound.model_validate_json(raw)
    except ValidationError:
        _log.error("waiting_message_unreadable", fix="was an older Recado started again on newer data?")
    found = re.search(r'"id":\s*"([^"]+)"', raw)
    now = datetime.now(UTC)
    content = Unsupported(type="unreadable")
    return Inbound(id=found[1] if found else masked(raw), sent_at=now, received_at=now, content=content)

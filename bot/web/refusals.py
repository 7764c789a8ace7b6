"""Requests that the web server turns away: each is counted, and logged once a minute, lest a flood fills the disk."""

from __future__ import annotations

import time
from typing import Any

import structlog

from bot.infra.metrics import HTTP_REFUSED

_AGAIN_SECONDS = 60.0
_log = structlog.get_logger()
# When each reason was logged last: there are a dozen of them.
_logged: dict[str, float] = {}


def count_refusal(reason: str, **fields: Any) -> None:
    """Note that something was refused; `fields` must name nobody."""
    HTTP_REFUSED.labels(reason).inc()
    now = time.monotonic()
    if now - _logged.get(reason, -_AGAIN_SECONDS) >= _AGAIN_SECONDS:
        _logged[reason] = now
        _log.warning("http_refused", reason=reason, **fields)

"""Counter of refused requests; each reason is logged once a minute, so that a flood fills no disk."""

from __future__ import annotations

import time
from typing import Any

import structlog

from bot.infra.metrics import HTTP_REFUSED

_AGAIN_SECONDS = 60.0
_log = structlog.get_logger()
# Time at which each of the dozen reasons was logged last.
_logged: dict[str, float] = {}


def count_refusal(reason: str, **fields: Any) -> None:
    """Count and log a refusal; `fields` must name nobody."""
    HTTP_REFUSED.labels(reason).inc()
    now = time.monotonic()
    if now - _logged.get(reason, -_AGAIN_SECONDS) >= _AGAIN_SECONDS:
        _logged[reason] = now
        _log.warning("http_refused", reason=reason, **fields)

"""Every line of the process as one event with fields, without secrets, texts or identities in clear."""

from __future__ import annotations

import hashlib
import logging
import sys
from typing import Literal

import structlog

LogFormat = Literal["json", "console"]

_QUIET = ("aiohttp.access", "httpx2", "httpcore2", "openai", "asyncio", "PIL", "pydub.converter", "stripe", "mail.log")


def configure(level: str, log_format: LogFormat) -> None:
    """Send our events and those of libraries to standard error, one line each, in one format."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    # Our own events skip the standard library's machinery: a line costs a fifth.
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    logging.captureWarnings(capture=True)
    # A crash is a line too: whoever reads the log by machine would lose the one that matters most.
    sys.excepthook = lambda *crash: structlog.get_logger().critical("crashed", exc_info=crash)
    for name in _QUIET:
        # At info these print URLs and bodies, which carry identities and texts.
        logging.getLogger(name).setLevel(max(logging.WARNING, number))


def masked(identity: str) -> str:
    """A short stand-in for a message id or a person, the same for the same one, that doesn't tell which."""
    return hashlib.sha256(identity.encode()).hexdigest()[:12]

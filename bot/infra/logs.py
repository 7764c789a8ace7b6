"""Every line of the process as one event with fields, without secrets, texts or identities in clear."""

from __future__ import annotations

import hashlib
import logging
import re
import sys
from typing import Any, Literal

import structlog

from pipelines.truncation import truncated

LogFormat = Literal["json", "console"]

_QUIET = ("aiohttp.access", "httpx2", "httpcore2", "openai", "asyncio", "PIL", "pydub.converter", "stripe", "mail.log")

# Phones; BSUIDs; wamids, which hold a phone; e-mail addresses.
NUMBER = r"\+?\d{9,}"
BSUID = r"\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{8,128}\b"
WAMID = r"\bwamid\.[\w+/=-]+"
# An address is taken whole, from where its word begins: a search from each letter of a long word would be squared.
_LOCAL = r"[^\s<>\"'`,;:()\[\]{}@]"
EMAIL = rf"(?<!{_LOCAL})(?:@|{_LOCAL}){_LOCAL}*+@[^\s<>\"'`,;:()\[\]{{}}]+"
# These, tokens, and what follows the host in an address. Names that we made ourselves (digests) hold none.
_IDENTITIES = re.compile(
    rf"{EMAIL}|(?P<ours>\b(?:[a-z]_)?(?=\d*[a-f])[0-9a-f]{{12,64}}\b|\b[a-z]_[0-9a-f]{{12,20}}\b)"
    rf"|{NUMBER}|{BSUID}|{WAMID}|(?<=Bearer )\S+|(?<=://)[^\s/?#]*@"
    r"|(?<=\w)/(?:files|push)/[^\s\"'<>)]+|(?<=[?&])[\w.-]+=[^\s\"'<>)]+"
)
# Made by ourselves, of nobody's words.
_OURS = frozenset({"event", "level", "timestamp", "conversation", "message", "event_id"})


def configure(level: str, log_format: LogFormat) -> None:
    """Send our events and those of libraries to standard error, one line each, in one format."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _scrub,
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
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    for name in _QUIET:
        # At info these print URLs and bodies, which carry identities and texts.
        logging.getLogger(name).setLevel(max(logging.WARNING, number))


def without_identities(words: str) -> str:
    """Words that others wrote (a vendor's error, a library's warning) without whom they name, and without tokens."""
    return _IDENTITIES.sub(lambda found: found["ours"] or "…", truncated(words))


def _scrub(_: Any, __: str, line: Any) -> Any:
    """The last look at a line: our own events name nobody, but they quote errors of others."""
    # A library's event is its sentence; ours are names.
    kept = _OURS - {"event"} if "_record" in line else _OURS
    for name, value in line.items():
        if isinstance(value, str) and name not in kept:
            line[name] = without_identities(value)
    return line


def _is_ours(record: logging.LogRecord) -> bool:
    """True if the fault is the server's; unreadable requests get their 400 and no traceback in the log."""
    # By its name: a command that serves nothing doesn't load aiohttp for this.
    kinds = type(record.exc_info[1]).__mro__ if record.exc_info else ()
    return not any(kind.__name__ in {"HttpProcessingError", "RequestPayloadError"} for kind in kinds)


def masked(identity: str) -> str:
    """A short stand-in for a message id or a person, the same for the same one, that doesn't tell which."""
    return hashlib.sha256(identity.encode()).hexdigest()[:12]

"""Structured logs: one event with fields a line, without secrets, texts or identities in clear."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
from typing import Any, Literal, TextIO

import structlog

from pipelines.truncation import truncated

LogFormat = Literal["json", "console"]

_QUIET = (
    "aiohttp.access", "httpx2", "httpcore2", "openai", "asyncio", "PIL", "pydub.converter", "stripe", "mail.log",
    "alembic", "sqlalchemy", "aiosqlite", "bm25s",
)  # fmt: skip

# Phones; BSUIDs; wamids, which hold a phone; e-mail addresses.
NUMBER = r"\+?\d{9,}"
BSUID = r"\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{8,128}\b"
WAMID = r"\bwamid\.[\w+/=-]+"
# The search starts at the beginning of a word, because one from each letter would take quadratic time.
_LOCAL = r"[^\s<>\"'`,;:()\[\]{}@]"
EMAIL = rf"(?<!{_LOCAL})(?:@|{_LOCAL}){_LOCAL}*+@[^\s<>\"'`,;:()\[\]{{}}]+"
# Identities, tokens, and the part of an address behind its host. Digests, which we make ourselves, hold none.
_IDENTITIES = re.compile(
    rf"{EMAIL}|(?P<ours>\b(?:[a-z]_)?(?=\d*[a-f])[0-9a-f]{{12,64}}\b|\b[a-z]_[0-9a-f]{{12,20}}\b)"
    rf"|{NUMBER}|{BSUID}|{WAMID}|(?<=Bearer )\S+|(?<=://)[^\s/?#]*@"
    r"|(?<=\w)/(?:files|push)/[^\s\"'<>)]+|(?<=[?&])[\w.-]+=[^\s\"'<>)]+"
)
# Values that we make ourselves, from no words of others.
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
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if log_format == "console":
        shared.append(_stack_in_lines)
        renderer = structlog.dev.ConsoleRenderer(colors=shows_colours(sys.stderr))
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
    # gRPC writes to standard error by itself, such as at each fork; what matters of it comes as an error of a call.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # A crash becomes a line too, because a machine that reads the log would miss it otherwise.
    sys.excepthook = lambda *crash: structlog.get_logger().critical("crashed", exc_info=crash)
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    for name in _QUIET:
        # At info these print URLs, bodies and statements, which carry identities and texts, or what nobody asked for.
        logging.getLogger(name).setLevel(max(logging.WARNING, number))


def shows_colours(stream: TextIO) -> bool:
    """Whether the stream is a terminal that shows colours, and nobody has said no to them (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def without_identities(words: str) -> str:
    """Text of others (a vendor's error, a library's warning) without identities and tokens."""
    return _IDENTITIES.sub(lambda found: found["ours"] or "…", truncated(words))


def _scrub(_: Any, __: str, line: Any) -> Any:
    """Scrub a line as the last step, because our events quote errors of others."""
    # Our events are fixed names, and a library's event is a sentence.
    kept = _OURS - {"event"} if "_record" in line else _OURS
    for name, value in line.items():
        if isinstance(value, str) and name not in kept:
            line[name] = without_identities(value)
    return line


def _stack_in_lines(_: Any, __: str, line: Any) -> Any:
    """Make a list of frames a text, because the renderer for people takes nothing else."""
    if isinstance(line.get("stack"), list):
        line["stack"] = "\n".join(line["stack"])
    return line


def _is_ours(record: logging.LogRecord) -> bool:
    """True if the fault is the server's; unreadable requests get their 400 and no traceback in the log."""
    # By its name: a command that serves nothing doesn't load aiohttp for this.
    kinds = type(record.exc_info[1]).__mro__ if record.exc_info else ()
    return not any(kind.__name__ in {"HttpProcessingError", "RequestPayloadError"} for kind in kinds)


def masked(identity: str) -> str:
    """A short digest of a message id or a person, the same for the same one."""
    return hashlib.sha256(identity.encode()).hexdigest()[:12]

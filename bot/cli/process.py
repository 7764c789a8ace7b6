"""Life of a process that serves: wrong settings end its start, a signal ends it within the grace."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, assert_never

import structlog
import typer

from bot.cli.language import spoken_language
from bot.cli.words import WORDS, system_reason
from bot.database.version import SchemaOutdated
from bot.infra import logs
from bot.infra.loop_watchdog import loop_watched
from bot.infra.open_files import raise_file_limit
from bot.messages.language import Language
from bot.prompting.diagnostics import PromptsWrong
from bot.settings import LogSettings, Settings, SettingsWrong, log_settings

if sys.platform != "win32":
    import uvloop

_log = structlog.get_logger()
# Set once for the process's single loop; work that runs in the loop inherits the event.
_STOP: ContextVar[asyncio.Event] = ContextVar("stop")

# New objects between two runs of the garbage collector.
_NEW_OBJECTS = 10_000


def run_process(work: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Read the settings and run until the end; exit 2 with one line a mistake where they are wrong."""
    raise_file_limit()
    log = log_settings()
    log_as = log_format(log)
    logs.configure(log.level, log_as)
    try:
        settings = Settings()
        run_loop(work(settings), settings.service.shutdown_grace_seconds)
    except (SettingsWrong, PromptsWrong, SchemaOutdated) as error:
        for line in _reasons(error, _language_of(log_as)):
            _log.error("can_not_start", why=line)
        raise typer.Exit(2) from error
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        fix = {"fix": WORDS["port taken"][_language_of(log_as)]} if taken else {}
        why = system_reason(error, _language_of(log_as)) if error.strerror else str(error)
        _log.error("can_not_start", why=why, **fix)
        raise typer.Exit(1) from error


def _reasons(error: SettingsWrong | PromptsWrong | SchemaOutdated, language: Language) -> list[str]:
    match error:
        case SettingsWrong():
            return error.said(language)
        case PromptsWrong():
            return [
                str(diagnostic) if language == "en" else diagnostic.plain(language) for diagnostic in error.diagnostics
            ]
        case SchemaOutdated():
            return [WORDS["outdated"][language].format(missing=error.missing)]
    assert_never(error)


def _language_of(log_as: logs.LogFormat) -> Language:
    """The operator's language for people at a terminal, English for programs that read the log."""
    return spoken_language() if log_as == "console" else "en"


def log_format(log: LogSettings) -> logs.LogFormat:
    """Format of the log: as set, else for people on a terminal and for machines everywhere else."""
    if "format" in log.model_fields_set:
        return log.format
    return "console" if sys.stderr.isatty() else "json"


def run_loop(work: Coroutine[Any, Any, None], grace: float) -> None:
    # uvloop is not made for Windows.
    factory = None if sys.platform == "win32" else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_watched(work, grace))


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    await _STOP.get().wait()


async def _watched(work: Coroutine[Any, Any, None], grace: float) -> None:
    async with loop_watched():
        await _within_grace(work, grace)


async def _within_grace(work: Coroutine[Any, Any, None], grace: float) -> None:
    """Run until SIGTERM or SIGINT, then finish the work under way, but no longer than the grace."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    _STOP.set(stop)
    task = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.is_set():
        _log.info("stopping", grace_seconds=grace)
    _, late = await asyncio.wait({task}, timeout=grace)
    if late:
        _log.warning("grace_over", fix="raise SHUTDOWN_GRACE_SECONDS; the turns in hand go to another worker")
        task.cancel()
        await asyncio.wait({task})
        return
    await task
    _log.info("stopped")


def collect_garbage_rarely() -> None:
    """Look for reference cycles seldom, and never among the objects of the start.

    Python looks after every 700 new objects. Requests and turns leave few cycles; looking took 8% of a server's time,
    and 14% of a turn's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)

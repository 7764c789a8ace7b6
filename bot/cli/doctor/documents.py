"""Check of the company's documents: whether they are synced, and which files the last sync left out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from bot.cli.doctor.check import SECONDS, CheckResult
from bot.cli.doctor.words import Said, joined, said
from bot.database.engine import open_database
from bot.knowledge.document import FileFinding
from bot.knowledge.finding_words import finding_in
from bot.knowledge.overview import LastSync, last_sync
from bot.settings import Settings

_NAME = "Documents"
_NAMED = 3


async def documents(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    synced = await _last_sync(settings)
    if synced is None:
        return CheckResult(_NAME, "absent", said("no documents"))
    left_out = [problem for problem in synced.problems if problem.is_error]
    large = [problem for problem in synced.problems if problem.file == "." and not problem.is_error]
    if large and not left_out:
        return CheckResult(_NAME, "ok", said("documents large", documents=synced.documents, about=_named(large)))
    if not left_out:
        return CheckResult(_NAME, "ok", said("documents synced", documents=synced.documents))
    words = said("left out", documents=synced.documents, count=len(left_out), files=_named(left_out[:_NAMED]))
    return CheckResult(_NAME, "wrong", words)


async def _last_sync(settings: Settings) -> LastSync | None:
    url = settings.database.url.get_secret_value()
    if not settings.database.is_postgresql and not await asyncio.to_thread(Path(url.removeprefix("sqlite:///")).exists):
        return None
    opened = open_database(url)
    try:
        async with asyncio.timeout(SECONDS):
            return await last_sync(opened)
    except (SQLAlchemyError, OSError, TimeoutError):
        # The database has its own line.
        return None
    finally:
        await opened.close()


def _named(findings: Sequence[FileFinding]) -> Said:
    return joined(
        [{"es": str(finding_in("es", finding)), "en": str(finding_in("en", finding))} for finding in findings]
    )

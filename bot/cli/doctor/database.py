"""Check of the SQL database: reachable, with its schema, and not behind Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.cli.doctor.check import SECONDS, CheckResult
from bot.cli.doctor.words import said
from bot.database.engine import Database, open_database
from bot.database.upgrade import missing_steps
from bot.history.stream import HistoryStream
from bot.infra.redis import connect
from bot.settings import Settings

_BEHIND = 1000


async def database(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    url = settings.database.url.get_secret_value()
    kind = "PostgreSQL" if settings.database.is_postgresql else "SQLite"
    file = url.removeprefix("sqlite:///")
    if not settings.database.is_postgresql and not await asyncio.to_thread(Path(file).exists):
        return CheckResult("Database", "ok", said("made at first use", file=file))
    opened = open_database(url)
    try:
        async with asyncio.timeout(SECONDS):
            return await _looked_at(settings, opened, kind)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        why = type(getattr(error, "orig", None) or error).__name__
        return CheckResult("Database", "wrong", said("database away", kind=kind, why=why))
    finally:
        await opened.close()


async def _looked_at(settings: Settings, opened: Database, kind: str) -> CheckResult:
    steps = await missing_steps(opened)
    if steps and opened.is_postgresql:
        return CheckResult("Database", "wrong", said("database lacks", kind=kind, steps=len(steps)))
    waiting = await _waiting(settings)
    if waiting > _BEHIND:
        return CheckResult("Database", "wrong", said("history waits", waiting=waiting, kind=kind))
    return CheckResult("Database", "ok", said("schema later" if steps else "schema current", kind=kind))


async def _waiting(settings: Settings) -> int:
    async with connect(settings.redis) as client:
        try:
            return await HistoryStream(client).length()
        except (RedisError, OSError):
            return 0  # Redis has its own line.

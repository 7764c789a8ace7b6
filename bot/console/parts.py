"""The composition root of the console: its parts in a server's process, made at the console's first request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

from bot.database.engine import Database
from bot.database.opening import open_current
from bot.people.audit import AuditLog
from bot.people.canned_replies import CannedReplies
from bot.people.login_limits import LoginLimits
from bot.people.operators import Operators
from bot.people.passwords import Passwords
from bot.people.sessions import Sessions
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    database: Database
    operators: Operators
    sessions: Sessions
    audit: AuditLog
    canned_replies: CannedReplies

    async def close(self) -> None:
        await self.database.close()


async def open_parts(settings: Settings, redis: Redis) -> ConsoleParts:
    """Open the database and make the parts. Raises SchemaOutdated."""
    database = await open_current(settings.database.url.get_secret_value())
    passwords = Passwords()
    lasts = timedelta(hours=settings.service.console_session_hours)
    return ConsoleParts(
        database=database,
        operators=Operators(database, passwords),
        sessions=Sessions(database, passwords, LoginLimits(redis), lasts),
        audit=AuditLog(database),
        canned_replies=CannedReplies(database),
    )

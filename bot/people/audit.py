"""Audit log: who did what to which object, when and from where. Entries are only added."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog
from redis.asyncio import Redis
from sqlalchemy import insert, select
from sqlalchemy.exc import SQLAlchemyError

from bot.database.engine import Database
from bot.infra.redis import answer
from bot.people.tables import AUDIT_LOG

MOST_AT_ONCE = 200
# Entries that the database could not take when they happened, the oldest first.
_WAITING = "recado:audit:waiting"
_MOST_WAITING = 100_000
_MOVED_AT_ONCE = 500
_PATIENCE_SECONDS = 1.0
# Errors of connecting to PostgreSQL are asyncpg's own.
_AWAY = (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: int
    at: datetime
    who: str
    action: str
    object: str
    details: Mapping[str, Any]
    address: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Entries older than `before` (an id), of this person, of this action, about this object."""

    before: int | None = None
    who: str | None = None
    action: str | None = None
    object: str | None = None


class AuditLog:
    """With `redis`, an act that is done is noted although the database is away; the entry joins the others later."""

    def __init__(self, database: Database, redis: Redis | None = None) -> None:
        self._database = database
        self._redis = redis

    async def record(
        self, who: str, action: str, object_: str, *, address: str, details: Mapping[str, Any] | None = None
    ) -> None:
        """Add an entry. `details` hold no text of a customer and no secret."""
        at = datetime.now(UTC)
        entry = {"who": who, "action": action, "object": object_, "details": dict(details or {}), "address": address}
        try:
            await self._move_waiting()
            await self._add([entry | {"at": at}])
        except _AWAY as error:
            if self._redis is None:
                raise
            _log.error("audit_entry_waits", error=type(error).__name__, fix="see DATABASE_URL")
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.rpush(_WAITING, json.dumps(entry | {"at": at.isoformat()}))
            pipeline.ltrim(_WAITING, -_MOST_WAITING, -1)
            await pipeline.execute()

    async def _add(self, entries: Sequence[Mapping[str, Any]]) -> None:
        # Because a person waits, we give up early on a locked database if Redis can keep the entry.
        patience = None if self._redis is None else _PATIENCE_SECONDS
        async with self._database.writing(patience) as connection:
            await connection.execute(insert(AUDIT_LOG), list(entries))

    async def _move_waiting(self) -> None:
        """Move the entries that waited for the database. Those of a process that dies meanwhile may be there twice."""
        while self._redis is not None:
            waiting: list[str] = await answer(self._redis.lrange(_WAITING, 0, _MOVED_AT_ONCE - 1))
            if not waiting:
                return
            entries = [json.loads(raw) for raw in waiting]
            await self._add([entry | {"at": datetime.fromisoformat(entry["at"])} for entry in entries])
            await answer(self._redis.ltrim(_WAITING, len(waiting), -1))

    async def entries(self, wanted: AuditFilter, limit: int = MOST_AT_ONCE) -> list[AuditEntry]:
        """The newest entries first."""
        await self._move_waiting()
        found = select(AUDIT_LOG).order_by(AUDIT_LOG.c.id.desc()).limit(min(limit, MOST_AT_ONCE))
        if wanted.before is not None:
            found = found.where(AUDIT_LOG.c.id < wanted.before)
        for column, value in (("who", wanted.who), ("action", wanted.action), ("object", wanted.object)):
            if value is not None:
                found = found.where(AUDIT_LOG.c[column] == value)
        async with self._database.reading() as connection:
            return [AuditEntry(*row) for row in await connection.execute(found)]

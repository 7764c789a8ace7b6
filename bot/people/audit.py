"""Audit log: who did what to which object, when and from where. Entries are only added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from bot.database.engine import Database
from bot.people.tables import AUDIT_LOG

MOST_AT_ONCE = 200


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
    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, who: str, action: str, object_: str, *, address: str, details: Mapping[str, Any] | None = None
    ) -> None:
        """Add an entry. `details` hold no text of a customer and no secret."""
        entry = {
            "at": datetime.now(UTC),
            "who": who,
            "action": action,
            "object": object_,
            "details": dict(details or {}),
            "address": address,
        }
        async with self._database.writing() as connection:
            await connection.execute(insert(AUDIT_LOG).values(entry))

    async def entries(self, wanted: AuditFilter, limit: int = MOST_AT_ONCE) -> list[AuditEntry]:
        """The newest entries first."""
        found = select(AUDIT_LOG).order_by(AUDIT_LOG.c.id.desc()).limit(min(limit, MOST_AT_ONCE))
        if wanted.before is not None:
            found = found.where(AUDIT_LOG.c.id < wanted.before)
        for column, value in (("who", wanted.who), ("action", wanted.action), ("object", wanted.object)):
            if value is not None:
                found = found.where(AUDIT_LOG.c[column] == value)
        async with self._database.reading() as connection:
            return [AuditEntry(*row) for row in await connection.execute(found)]

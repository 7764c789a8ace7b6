"""Locks that PostgreSQL holds until a transaction ends: a number for each kind of work that must not overlap."""

from __future__ import annotations

from enum import IntEnum, unique

from sqlalchemy.ext.asyncio import AsyncConnection


@unique
class AdvisoryLock(IntEnum):
    """Any numbers, but the same in every version, because two versions may run side by side."""

    SCHEMA = 7_233_001
    HISTORY = 7_233_002
    CATALOGUE = 7_233_004
    PASSAGES = 7_233_005


async def hold(connection: AsyncConnection, lock: AdvisoryLock) -> None:
    """Wait for the lock. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock:d})")

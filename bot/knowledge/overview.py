"""Overview of the documents for the console: what customers get, what waits for a release, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import func, select

from bot.database.engine import Database
from bot.knowledge.document import FileFinding
from bot.knowledge.tables import DOCUMENTS, SETS

State = Literal["released", "changed", "new", "removed"]
MOST_PROBLEMS = 500


@dataclass(frozen=True, slots=True)
class DocumentShown:
    """A document of the released set or of the newest one.

    `state` is `released` as customers get it, `changed` or `new` for the next release, and `removed` where the folder
    no longer has a released document.
    """

    name: str
    title: str
    language: str | None
    audience: str
    valid_from: date | None
    valid_until: date | None
    pages: int | None
    passages: int
    state: State


@dataclass(frozen=True, slots=True)
class DocumentOverview:
    """`synced_at` is the time of the newest sync, `problems` are its findings."""

    synced_at: datetime | None
    documents: tuple[DocumentShown, ...]
    problems: tuple[FileFinding, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class LastSync:
    documents: int
    problems: tuple[FileFinding, ...]


async def last_sync(database: Database) -> LastSync | None:
    """The newest sync, with what it found wrong; None before the first."""
    async with database.reading() as connection:
        newest = (await connection.execute(select(SETS).order_by(SETS.c.synced_at.desc()).limit(1))).one_or_none()
    return (
        LastSync(len(newest.documents), tuple(FileFinding(**finding) for finding in newest.findings))
        if newest
        else None
    )


async def overview(database: Database, released: str | None, after: str = "", limit: int = 100) -> DocumentOverview:
    """A page of the documents by name; `released` is the set that the current release names."""
    async with database.reading() as connection:
        newest = (await connection.execute(select(SETS).order_by(SETS.c.synced_at.desc()).limit(1))).one_or_none()
        chosen = select(SETS.c.documents).where(SETS.c.digest == (released or ""))
        given: dict[str, str] = (await connection.execute(chosen)).scalar() or {}
        waiting: dict[str, str] = newest.documents if newest else {}
        names = sorted(name for name in {*given, *waiting} if name > after)
        page = names[:limit]
        digests = {name: given.get(name) or waiting[name] for name in page}
        count = func.jsonb_array_length if database.is_postgresql else func.json_array_length
        columns = [column for column in DOCUMENTS.c if column.name not in ("passages", "findings")]
        query = select(*columns, count(DOCUMENTS.c.passages).label("passages"))
        rows = (await connection.execute(query.where(DOCUMENTS.c.digest.in_(digests.values())))).mappings()
        found = {row["digest"]: dict(row) for row in rows}
    shown = tuple(
        DocumentShown(**_without_digest(found[digest]) | {"name": name, "state": _state(name, given, waiting)})
        for name, digest in digests.items()
        if digest in found
    )
    problems = tuple(FileFinding(**finding) for finding in (newest.findings if newest else [])[:MOST_PROBLEMS])
    return DocumentOverview(newest.synced_at if newest else None, shown, problems, page[-1] if names[limit:] else None)


def _without_digest(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "digest"}


def _state(name: str, given: Mapping[str, str], waiting: Mapping[str, str]) -> State:
    if name not in given:
        return "new"
    if name not in waiting:
        return "removed"
    return "released" if given[name] == waiting[name] else "changed"

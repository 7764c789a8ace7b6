"""Canned replies: texts that operators insert by a shortcut."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.database.engine import Database
from bot.people.tables import CANNED_REPLIES

_MOST = 1000


class ShortcutTaken(Exception):
    """Another canned reply has this shortcut."""


class TooManyReplies(Exception):
    """There are a thousand canned replies already."""


@dataclass(frozen=True, slots=True)
class CannedReply:
    id: str
    shortcut: str
    text: str
    language: str | None


class CannedReplies:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[CannedReply]:
        columns = [CANNED_REPLIES.c[name] for name in ("id", "shortcut", "text", "language")]
        async with self._database.reading() as connection:
            rows = await connection.execute(select(*columns).order_by(CANNED_REPLIES.c.shortcut))
            return [CannedReply(*row) for row in rows]

    async def put(self, id_: str | None, shortcut: str, text: str, language: str | None, by: str) -> CannedReply | None:
        """Add a reply, or change the one with this id; None if there is none. Raises ShortcutTaken."""
        facts = {
            "shortcut": shortcut,
            "text": text,
            "language": language,
            "updated_at": datetime.now(UTC),
            "updated_by": by,
        }
        try:
            async with self._database.writing() as connection:
                if id_ is None:
                    count = (await connection.execute(select(func.count()).select_from(CANNED_REPLIES))).scalar_one()
                    if count >= _MOST:
                        raise TooManyReplies
                    id_ = f"r_{secrets.token_hex(10)}"
                    await connection.execute(insert(CANNED_REPLIES).values(facts | {"id": id_}))
                else:
                    own = CANNED_REPLIES.c.id == id_
                    changed = await connection.execute(update(CANNED_REPLIES).where(own).values(facts))
                    if changed.rowcount != 1:
                        return None
        except IntegrityError as error:
            raise ShortcutTaken(shortcut) from error
        return CannedReply(id_, shortcut, text, language)

    async def remove(self, id_: str) -> bool:
        async with self._database.writing() as connection:
            removed = await connection.execute(delete(CANNED_REPLIES).where(CANNED_REPLIES.c.id == id_))
        return removed.rowcount == 1

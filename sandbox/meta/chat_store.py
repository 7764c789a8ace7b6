"""A file for chats and turns, so that the page shows after a restart what it showed before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from sandbox.broadcast import Event
from sandbox.meta.media import MediaFile
from sandbox.meta.parties import Person

_log = structlog.get_logger()
_MB = 1024 * 1024
_MOST_MESSAGES = 500
_MOST_EVENTS = 100
_MOST_PEOPLE = 500
_MOST_MEDIA_BYTES = 64 * _MB
_MOST_RECORDS = 300
_MOST_RECORD_LETTERS = 64 * _MB
_WRITES_BETWEEN_TRIMS = 2000
_TABLES = """
CREATE TABLE IF NOT EXISTS people (bsuid TEXT PRIMARY KEY, person TEXT NOT NULL, last_inbound TEXT);
CREATE TABLE IF NOT EXISTS messages (place INTEGER PRIMARY KEY, wamid TEXT UNIQUE, bsuid TEXT NOT NULL,
  event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_of ON messages (bsuid, place);
CREATE TABLE IF NOT EXISTS events (place INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL,
  event TEXT NOT NULL, UNIQUE (kind, key));
CREATE TABLE IF NOT EXISTS media (place INTEGER PRIMARY KEY, id TEXT UNIQUE, mime TEXT NOT NULL, expires TEXT NOT NULL,
  data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS records (place INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL,
  record TEXT NOT NULL, UNIQUE (kind, key));
"""


class StoredChat(NamedTuple):
    """A person's chat as it was left."""

    person: Person
    last_inbound: datetime | None
    messages: list[Event]


class ChatStore:
    """Chats, media and whatever else the page shows in an SQLite file; the oldest make room for new ones.

    Writes are as short as those of a log, so that they run on the event loop.
    """

    def __init__(self, path: Path) -> None:
        self._writes = 0
        try:
            self._file = _opened(path)
        except sqlite3.DatabaseError as error:
            _log.warning("chats_put_aside", file=f"{path}.broken", why=str(error))
            path.replace(f"{path}.broken")
            self._file = _opened(path)

    def close(self) -> None:
        self._file.close()

    # ---- chats

    def put_person(self, person: Person, last_inbound: datetime | None) -> None:
        """Store a person, or their new name or window."""
        at = last_inbound.isoformat() if last_inbound else None
        self._write(
            "INSERT INTO people VALUES (?, ?, ?) ON CONFLICT (bsuid) "
            "DO UPDATE SET person = excluded.person, last_inbound = excluded.last_inbound",
            (person.bsuid, json.dumps(asdict(person)), at),
        )

    def put_message(self, event: Event) -> None:
        """Store a message, or its new status."""
        self._write(
            "INSERT INTO messages (wamid, bsuid, event) VALUES (?, ?, ?) "
            "ON CONFLICT (wamid) DO UPDATE SET bsuid = excluded.bsuid, event = excluded.event",
            (event["wamid"], event["person"], json.dumps(event)),
        )

    def delete_person(self, bsuid: str) -> None:
        """Delete an id that nobody has any more; the messages are put anew under the new one."""
        self._write("DELETE FROM people WHERE bsuid = ?", (bsuid,))

    def chats(self) -> list[StoredChat]:
        """The stored chats in the order of their people; what is beyond the limits is deleted."""
        self._trim()
        rows = self._file.execute("SELECT bsuid, person, last_inbound FROM people ORDER BY rowid").fetchall()
        return [
            StoredChat(Person(**json.loads(person)), datetime.fromisoformat(at) if at else None, self._messages(bsuid))
            for bsuid, person, at in rows
        ]

    def _messages(self, bsuid: str) -> list[Event]:
        rows = self._file.execute("SELECT event FROM messages WHERE bsuid = ? ORDER BY place", (bsuid,))
        return [json.loads(event) for (event,) in rows]

    # ---- media

    def put_media(self, file: MediaFile) -> None:
        self._write(
            "INSERT OR REPLACE INTO media (id, mime, expires, data) VALUES (?, ?, ?, ?)",
            (file.id, file.mime, file.expires.isoformat(), file.data),
        )

    def delete_media(self, media_id: str) -> None:
        self._write("DELETE FROM media WHERE id = ?", (media_id,))

    def media(self) -> Iterator[MediaFile]:
        """The stored files, the oldest first."""
        for id_, mime, expires, data in self._file.execute("SELECT id, mime, expires, data FROM media ORDER BY place"):
            yield MediaFile(id_, data, mime, datetime.fromisoformat(expires))

    # ---- events of the bot

    def put_event(self, kind: str, key: str, event: Event) -> None:
        """Store an event of the bot in place of an earlier one with this key."""
        self._write(
            "INSERT INTO events (kind, key, event) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET event = excluded.event",
            (kind, key, json.dumps(event)),
        )

    def events(self) -> list[Event]:
        """The stored events, the oldest first."""
        return [json.loads(event) for (event,) in self._file.execute("SELECT event FROM events ORDER BY place")]

    # ---- e-mails, pushes, events and exchanges

    def put_record(self, kind: str, key: str, record: str) -> None:
        """Store a record of a list in place of an earlier one with this key."""
        self._write(
            "INSERT INTO records (kind, key, record) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET record = excluded.record",
            (kind, key, record),
        )

    def records(self, kind: str) -> list[str]:
        """The stored records of a list, the oldest first."""
        rows = self._file.execute("SELECT record FROM records WHERE kind = ? ORDER BY place", (kind,))
        return [record for (record,) in rows]

    # ---- limits

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        self._file.execute(statement, values)
        self._writes += 1
        if self._writes % _WRITES_BETWEEN_TRIMS == 0:
            self._trim()

    def _trim(self) -> None:
        """Delete what is beyond the limits."""
        with self._transaction():
            self._file.execute(
                "DELETE FROM people WHERE bsuid NOT IN (SELECT bsuid FROM people ORDER BY rowid LIMIT ?)",
                (_MOST_PEOPLE,),
            )
            self._file.execute("DELETE FROM messages WHERE bsuid NOT IN (SELECT bsuid FROM people)")
            self._file.execute(
                "DELETE FROM messages WHERE place IN (SELECT place FROM (SELECT place, row_number() OVER "
                "(PARTITION BY bsuid ORDER BY place DESC) AS age FROM messages) WHERE age > ?)",
                (_MOST_MESSAGES,),
            )
            self._file.execute(
                "DELETE FROM events WHERE place IN (SELECT place FROM (SELECT place, row_number() OVER "
                "(PARTITION BY kind ORDER BY place DESC) AS age FROM events) WHERE age > ?)",
                (_MOST_EVENTS,),
            )
            self._file.execute(
                "DELETE FROM media WHERE place IN (SELECT place FROM (SELECT place, sum(length(data)) OVER "
                "(ORDER BY place DESC) AS size FROM media) WHERE size > ?)",
                (_MOST_MEDIA_BYTES,),
            )
            self._file.execute(
                "DELETE FROM records WHERE place IN (SELECT place FROM (SELECT place, "
                "row_number() OVER by_age AS age, sum(length(record)) OVER by_age AS size FROM records "
                "WINDOW by_age AS (PARTITION BY kind ORDER BY place DESC)) WHERE age > ? OR size > ?)",
                (_MOST_RECORDS, _MOST_RECORD_LETTERS),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")


def _opened(path: Path) -> sqlite3.Connection:
    """The file with its tables; raises DatabaseError if it is none of ours."""
    file = sqlite3.connect(path, isolation_level=None)
    try:
        file.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _TABLES)
    except sqlite3.DatabaseError:
        file.close()
        raise
    return file


def event_key(event: Event) -> tuple[str, str] | None:
    """Kind and key of an event that the page keeps; None for any other."""
    match event["type"]:
        case "turn" | "asked" as kind:
            return kind, str(event["turn"])
        case "noted":
            return "noted", str(event["turn"])
        case "handoff":
            return "handoff", str(event["conversation"])
    return None

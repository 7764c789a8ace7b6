"""aiosqlite's connections with fewer waits for their thread: a busy event loop takes long for each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import partial
from typing import Any

import aiosqlite
from aiosqlite.context import contextmanager

_ROWS = 64


class _Cursor(aiosqlite.Cursor):
    """A cursor that has nothing to close in the thread once its statement is over."""

    _is_over = False

    async def fetchall(self) -> Iterable[sqlite3.Row]:
        rows = await super().fetchall()
        self._is_over = True
        return rows

    async def close(self) -> None:
        if self.description is not None and not self._is_over:
            await super().close()


class _Connection(aiosqlite.Connection):
    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        return _Cursor(self, self._conn.cursor())


def connect(path: str, **options: Any) -> aiosqlite.Connection:
    """A connection to await. Its cursors are made in the loop's thread, and work in the connection's own."""
    connection = _Connection(partial(sqlite3.connect, path, **options), iter_chunk_size=_ROWS)
    # As SQLAlchemy's own: a statement that hangs must not keep the process.
    connection._thread.daemon = True  # noqa: SLF001 - aiosqlite shows it to nobody
    return connection

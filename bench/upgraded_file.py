"""A database of SQLite with the newest schema and without rows, made once: an upgrade takes half a second."""

from __future__ import annotations

import asyncio
import tempfile
from functools import cache
from pathlib import Path

from bot.database.engine import open_database
from bot.database.upgrade import upgrade


def put_upgraded(file: Path) -> None:
    """Put the database there, unless one is there."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_upgraded_file())


@cache
def _upgraded_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "recado.db")
        asyncio.run(_upgrade(f"sqlite:///{file}"))
        return file.read_bytes()


async def _upgrade(url: str) -> None:
    database = open_database(url)
    await upgrade(database)
    await database.close()

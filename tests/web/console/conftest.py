"""A running Recado with its history, for tests of the console."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from bot.database.opening import open_current
from tests.world import Start, World


@pytest.fixture(scope="session")
def upgraded_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the newest schema and without rows: an upgrade takes half a second."""
    file = tmp_path_factory.mktemp("database") / "recado.db"

    async def upgrade() -> None:
        await (await open_current(f"sqlite:///{file}")).close()

    asyncio.run(upgrade())
    return file


@pytest.fixture(autouse=True)
def _copied_database(upgraded_database: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    shutil.copy(upgraded_database, tmp_path / "data" / "recado.db")


@pytest.fixture
async def world(start: Start) -> World:
    return await start(history=True)

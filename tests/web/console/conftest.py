"""A running Recado with its history, for tests of the console."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.upgraded_file import put_upgraded
from tests.world import Start, World


@pytest.fixture(autouse=True)
def _copied_database(tmp_path: Path) -> None:
    put_upgraded(tmp_path / "data" / "recado.db")


@pytest.fixture
async def world(start: Start) -> World:
    return await start(history=True)

"""The sandbox's page in Chromium, on a running sandbox; `page_checks/` has one script a view.

They stand apart from `tests/`, because they need Chromium: `make test-browser` and CI run them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.chaos.node import install, program
from bot.settings import Settings
from sandbox.app import open_company

_CHECKS = Path(__file__).parent / "page_checks"
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
async def sandbox_url(tmp_path: Path, name: str) -> AsyncIterator[str]:
    # Suggestions ask the sample's documents and products.
    async with open_company(Settings(), "127.0.0.1", 0, tmp_path / "data", warm=name == "suggestions") as url:
        yield url


@pytest.mark.parametrize("name", sorted(path.stem for path in _CHECKS.glob("*.cjs") if path.stem != "run"))
async def test_the_page_in_a_browser(sandbox_url: str, name: str) -> None:
    install(_CHECKS)
    node, _ = program()
    process = await asyncio.create_subprocess_exec(
        *node, str(_CHECKS / "run.cjs"), sandbox_url, name, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()

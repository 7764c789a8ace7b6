"""The page's scripts in Chromium, on a running sandbox; `page_checks/` has one file a view.

They need Node with `playwright-core` (found by NODE_PATH) and Chromium, which most machines lack.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.settings import Settings
from sandbox.app import open_company

_CHECKS = Path(__file__).parent / "page_checks"


def _browser_is_here() -> bool:
    node, chromium = shutil.which("node"), os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not node or not chromium:
        return False
    probe = [node, "-e", "require('playwright-core')"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.fixture
async def sandbox_url(tmp_path: Path) -> AsyncIterator[str]:
    async with open_company(Settings(), "127.0.0.1", 0, tmp_path / "data") as url:
        yield url


pytestmark = [
    pytest.mark.skipif(not _browser_is_here(), reason="needs Chromium, Node, and playwright-core on NODE_PATH"),
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("sandbox"),
]


@pytest.mark.parametrize("name", sorted(path.stem for path in _CHECKS.glob("*.cjs") if path.stem != "run"))
async def test_the_page_in_a_browser(sandbox_url: str, name: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "node", str(_CHECKS / "run.cjs"), sandbox_url, name, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()

"""The console's pages: served with a strict policy, and nothing of the folder but known files."""

import re

import pytest

from tests.rows import each
from tests.world import Start, World


@pytest.fixture
async def serving(start: Start) -> World:
    return await start(workers=0)


@pytest.mark.parametrize("path", ["/console/", "/console/login", "/console/password?token=x"])
async def test_a_page_runs_nothing_but_our_own_files(serving: World, path: str) -> None:
    async with serving.http.get(f"{serving.url}{path}") as page:
        assert (page.status, page.content_type) == (200, "text/html")
        policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    # The one exception is the import map, by its hash.
    assert re.search(r"script-src 'self' 'sha256-[\w+/]{43}=';", policy)
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@each(
    "path",
    ["index.html", "../pages.py", "%2e%2e/pages.py", "..%2fpages.py", "nothing.js", "a//b.js", "a%00.js", "%5cx.js"],
)
async def test_nothing_else_of_the_folder_is_served(serving: World, path: str) -> None:
    async with serving.http.get(f"{serving.url}/console/static/{path}") as page:
        assert page.status == 404


async def test_without_a_console_token_there_is_no_page(start: Start) -> None:
    world = await start(workers=0, CONSOLE_TOKEN="")
    for path in ("/console/", "/console/login", "/console/static/x.js", "/console/api/session"):
        async with world.http.get(f"{world.url}{path}") as page:
            assert page.status == 404

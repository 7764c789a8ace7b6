"""Background work that fails is told, and begins again."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.infra.background import background
from tests.waiting import at_most


@pytest.mark.parametrize(
    "error", [ValueError("no"), asyncio.CancelledError()], ids=["an error", "another's cancellation"]
)
async def test_what_fails_is_logged_and_begins_again(error: BaseException) -> None:
    tries, works = 0, asyncio.Event()

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise error
        works.set()

    with capture_logs() as lines:
        async with background(work, first_pause=0.001), at_most():
            await works.wait()
    assert [(line["event"], line["log_level"]) for line in lines] == [("background_work_failed", "error")] * 2
    assert "work" in lines[0]["work"]


async def test_it_ends_with_its_context_and_is_not_begun_again() -> None:
    begun: list[str] = []
    both = asyncio.Event()

    async def short() -> None:
        begun.append("short")

    async def long() -> None:
        begun.append("long")
        both.set()
        await asyncio.sleep(3600)

    async with background(short, long, first_pause=0), at_most():
        await both.wait()
    assert sorted(begun) == ["long", "short"]
    assert len(asyncio.all_tasks()) == 1

"""First start of a sandbox: documents are read and products imported before the page opens, so that it knows them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog
from redis.asyncio import Redis

from bot.database.lazy import LazyDatabase
from bot.knowledge.folder import paths_of
from bot.knowledge.watcher import sync_folder
from bot.prompting.knowledge_lock import synced
from bot.settings import Settings
from sandbox.sample_catalogue import add_sample_products

# Beyond this the start is not held up: the worker reads on while people chat.
LONGEST_SECONDS = 60.0
_log = structlog.get_logger()

# Told how many documents are read, and how many there are.
TellReading = Callable[[int, int], None]


async def prepare_answers(
    settings: Settings, redis: Redis, tell: TellReading, seconds: float = LONGEST_SECONDS
) -> None:
    """Wait, at most so long, until questions about documents and products can be answered.

    The worker that starts afterwards releases the prompts together with the documents. Later starts find both there,
    and wait for nothing.
    """
    if await synced(redis) is not None:
        return
    try:
        async with asyncio.timeout(seconds):
            await add_sample_products(settings)
            await _read_documents(settings, redis, tell)
    except TimeoutError:
        _log.warning("documents_still_read", fix="none needed: answers come from them as soon as they are read")
    except Exception:  # noqa: BLE001 - without documents the rest of the sandbox works, and the worker tries again
        _log.exception("documents_not_read", fix="see `recado knowledge check`")


async def _read_documents(settings: Settings, redis: Redis, tell: TellReading) -> None:
    total, read = await asyncio.to_thread(_count, settings.knowledge.dir), 0
    if not total:
        return

    def done() -> None:
        nonlocal read
        read += 1
        tell(read, total)

    tell(read, total)
    database = LazyDatabase(settings.database)
    try:
        await sync_folder(redis, settings, await database(), done)
    finally:
        await database.close()


def _count(folder: Path) -> int:
    return sum(1 for _ in paths_of(folder)) if folder.is_dir() else 0

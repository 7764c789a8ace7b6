"""Watches the documents (PROMPTS_RELEASE=watch): a saved document or an accepted answer is synced at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.knowledge.embeddings import EmbeddingsFailed, embedder_of
from bot.knowledge.folder import FolderMissing, paths_of
from bot.prompting.knowledge_lock import lock_text, note_synced
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.database.engine import Database

_log = structlog.get_logger()
_LOOK_SECONDS = 2.0
# Path, time of the last change, and size of each file.
_State = list[tuple[str, int, int]]


async def watch(redis: Redis, settings: Settings, open_database: Callable[[], Awaitable[Database]]) -> None:
    """Sync each saved change and each accepted answer, for ever; waits for a folder that isn't there."""
    seen: tuple[_State, str] | None = None
    while True:
        files = await asyncio.to_thread(_state_of, settings.knowledge.dir)
        try:
            if files and (state := (files, await _answers_of(await open_database()))) != seen:
                await sync_folder(redis, settings, await open_database())
                seen = state
        except (FolderMissing, EmbeddingsFailed, RedisError, OSError) as error:
            _log.warning("knowledge_not_synced", error=type(error).__name__, fix="see `recado knowledge check`")
        except Exception:  # noqa: BLE001 - nobody would start the loop again
            # SQLAlchemy and its drivers raise errors of many families; the next look tries again.
            _log.exception("knowledge_not_synced", fix="see DATABASE_URL, `recado db check`")
        await asyncio.sleep(_LOOK_SECONDS)


async def _answers_of(database: Database) -> str:
    """Digest of the answers that people accepted."""
    from bot.knowledge.answers import accepted_answers  # noqa: PLC0415 - SQLAlchemy, for the one process that watches

    document = await accepted_answers(database)
    return document.digest if document else ""


async def sync_folder(
    redis: Redis, settings: Settings, database: Database, done: Callable[[], None] = lambda: None
) -> None:
    """Sync the folder and the accepted answers, for the next release; `done` is told of each file that is read.

    Raises FolderMissing and EmbeddingsFailed.
    """
    from bot.knowledge.answers import accepted_answers  # noqa: PLC0415 - SQLAlchemy, for the one process that watches
    from bot.knowledge.scans import scanned_pages  # noqa: PLC0415 - as above
    from bot.knowledge.store import KnowledgeStore  # noqa: PLC0415 - as above
    from bot.knowledge.sync import KnowledgeSync, SyncProgress  # noqa: PLC0415 - as above

    embedder = embedder_of(settings.embeddings)
    try:
        async with scanned_pages() as scans:
            work = KnowledgeSync(KnowledgeStore(database), embedder, settings.service.default_language, scans)
            answers = await accepted_answers(database)
            report = await work.run(settings.knowledge.dir, answers, SyncProgress(done=done))
    finally:
        await embedder.close()
    for finding in report.findings:
        _log.warning("document_left_out" if finding.is_error else "document_cut", why=str(finding))
    if report.documents:
        await note_synced(redis, lock_text(report.digest, report.documents))
        _log.info("knowledge_synced", set=report.digest, documents=len(report.documents), new=report.read)


def _state_of(folder: Path) -> _State:
    try:
        found = ((path, path.stat()) for path in paths_of(folder))
        return sorted((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)
    except OSError:
        # A file that vanished just now; the next look finds its folder without it.
        return []

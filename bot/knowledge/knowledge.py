"""Search in released documents: a worker loads a set at the first search, and another when the release changes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import structlog

from bot.knowledge.embeddings import Embedder, EmbeddingsFailed, embedder_of
from bot.knowledge.gaps import KnowledgeGaps
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.scale import scale_of
from bot.knowledge.search import BEST, SearchQuery, search_index
from bot.knowledge.search_result import Found, SearchableIndex
from bot.settings import EmbeddingsSettings

if TYPE_CHECKING:
    from bot.database.engine import Database

_log = structlog.get_logger()
# The current release, the candidate, and the one before, for turns under way.
_HELD = 3


class KnowledgeUnavailable(Exception):
    """The documents can't be searched now; the message says why, without a word of theirs."""


# Gives the index of a set. Raises KnowledgeUnavailable.
ReadIndex = Callable[[str], Awaitable[SearchableIndex]]
OpenDatabase = Callable[[], Awaitable["Database"]]


class Knowledge:
    """`read` gives the index of a set at its first search, because a worker at rest holds none."""

    def __init__(self, read: ReadIndex, embedder: Embedder, gaps: KnowledgeGaps | None = None) -> None:
        self.gaps = gaps
        self._read = read
        self._embedder = embedder
        self._held: OrderedDict[str, SearchableIndex] = OrderedDict()
        self._loading: dict[str, asyncio.Task[SearchableIndex]] = {}

    async def search(self, digest: str, query: SearchQuery, limit: int = BEST) -> Found:
        """Find passages of a set. Raises KnowledgeUnavailable."""
        try:
            index = await self.load(digest)
            return await search_index(index, self._embedder, query, limit)
        except EmbeddingsFailed as error:
            raise KnowledgeUnavailable(str(error)) from error

    async def load(self, digest: str) -> SearchableIndex:
        """The index of a set, loaded once; a caller that is cancelled doesn't cancel the load."""
        if digest in self._held:
            self._held.move_to_end(digest)
            return self._held[digest]
        task = self._loading.get(digest)
        if task is None:
            task = self._loading[digest] = asyncio.create_task(self._load(digest))
            task.add_done_callback(lambda _: self._loading.pop(digest, None))
        return await asyncio.shield(task)

    async def _load(self, digest: str) -> SearchableIndex:
        index = await self._read(digest)
        self._held[digest] = index
        while len(self._held) > _HELD:
            self._held.popitem(last=False)
        return index

    async def close(self) -> None:
        for task in list(self._loading.values()):
            task.cancel()
        await asyncio.gather(*self._loading.values(), return_exceptions=True)
        await self._embedder.close()


def knowledge_of(
    open_database: OpenDatabase, settings: EmbeddingsSettings, gaps: KnowledgeGaps | None = None
) -> Knowledge:
    """Documents of the database, which is opened at the first search."""
    embedder = embedder_of(settings)
    return Knowledge(stored_index(open_database, embedder), embedder, gaps)


def stored_index(open_database: OpenDatabase, embedder: Embedder) -> ReadIndex:
    """Read sets from the database, which is opened at the first of them."""

    async def read(digest: str) -> SearchableIndex:
        try:
            return await _stored(digest, await open_database(), embedder)
        except (KnowledgeUnavailable, EmbeddingsFailed):
            raise
        except Exception as error:
            # SQLAlchemy and its drivers raise errors of many families, and none is this turn's fault.
            _log.warning("knowledge_not_loaded", error=type(error).__name__, fix="see DATABASE_URL, `recado db check`")
            raise KnowledgeUnavailable("the database of the documents does not answer") from error

    return read


async def _in_database(digest: str, found: Any, kept: Any, embedder: Embedder) -> SearchableIndex | None:
    """The index of a set that PostgreSQL holds; None for one that a worker holds."""
    table: Any = await asyncio.to_thread(import_module, "bot.knowledge.passage_table")
    passages = table.PassageTable(kept.database)
    if found.model != embedder.name or not await passages.has(digest):
        return None
    made: Any = await asyncio.to_thread(import_module, "bot.knowledge.database_index")
    documents, statistics = await kept.outlines(found.documents.values()), await passages.statistics(digest)
    scale = await scale_of(embedder)
    index: SearchableIndex = await made.database_index(kept.database, documents, statistics, embedder.name, scale)
    await embedder.embed(["hola"])
    _log.info("knowledge_loaded", set=digest, documents=len(documents), passages=index.count, held_by="PostgreSQL")
    return index


async def _stored(digest: str, database: Database, embedder: Embedder) -> SearchableIndex:
    store: Any = await asyncio.to_thread(import_module, "bot.knowledge.store")
    kept = store.KnowledgeStore(database)
    found = await kept.set_of(digest)
    if found is None:
        _log.error("knowledge_missing", set=digest, fix="`recado knowledge sync`, then `recado prompts release`")
        raise KnowledgeUnavailable("the released documents are not in this database")
    if index := await _in_database(digest, found, kept, embedder):
        return index
    documents = await kept.documents(found.documents.values())
    vectors = await kept.vectors(found.documents.values(), embedder.name)
    if missing := [document.name for document in documents if document.digest not in vectors]:
        _log.error("knowledge_without_vectors", documents=len(missing), fix="`recado knowledge sync`")
        documents = [document for document in documents if document.digest in vectors]
    scale = await scale_of(embedder)
    index = await asyncio.to_thread(
        KnowledgeIndex, documents, [vectors[document.digest] for document in documents], scale
    )
    # The first text loads the model.
    await embedder.embed(["hola"])
    _log.info("knowledge_loaded", set=digest, documents=len(documents), passages=index.count)
    return index

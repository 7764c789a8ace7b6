"""Search in released documents: a worker loads a set at the first search, and another when the release changes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bot.database.engine import Database
from bot.knowledge.embeddings import Embedder, EmbeddingsFailed
from bot.knowledge.index import Found, KnowledgeIndex
from bot.knowledge.search import BEST, Asked, search_index

_log = structlog.get_logger()
# The current release, the candidate, and the one before, for turns under way.
_HELD = 3


class KnowledgeUnavailable(Exception):
    """The documents can't be searched now; the message says why, without a word of theirs."""


class Knowledge:
    """`open_database` opens the database at the first search, because a worker at rest needs none."""

    def __init__(self, open_database: Callable[[], Awaitable[Database]], embedder: Embedder) -> None:
        self._open_database = open_database
        self._embedder = embedder
        self._held: OrderedDict[str, KnowledgeIndex] = OrderedDict()
        self._loading: dict[str, asyncio.Task[KnowledgeIndex]] = {}

    async def search(self, digest: str, asked: Asked, limit: int = BEST) -> Found:
        """Find passages of a set. Raises KnowledgeUnavailable."""
        try:
            index = await self.load(digest)
            return await search_index(index, self._embedder, asked, limit)
        except EmbeddingsFailed as error:
            raise KnowledgeUnavailable(str(error)) from error

    async def load(self, digest: str) -> KnowledgeIndex:
        """The index of a set, loaded once; whoever gives up waiting lets the load go on."""
        if digest in self._held:
            self._held.move_to_end(digest)
            return self._held[digest]
        task = self._loading.get(digest)
        if task is None:
            task = self._loading[digest] = asyncio.create_task(self._load(digest))
            task.add_done_callback(lambda _: self._loading.pop(digest, None))
        return await asyncio.shield(task)

    async def _load(self, digest: str) -> KnowledgeIndex:
        try:
            index = await self._read(digest)
        except KnowledgeUnavailable:
            raise
        except Exception as error:
            # SQLAlchemy and its drivers raise errors of many families, and none is this turn's fault.
            _log.warning("knowledge_not_loaded", error=type(error).__name__, fix="see DATABASE_URL, `recado db check`")
            raise KnowledgeUnavailable("the database of the documents does not answer") from error
        self._held[digest] = index
        while len(self._held) > _HELD:
            self._held.popitem(last=False)
        return index

    async def _read(self, digest: str) -> KnowledgeIndex:
        store: Any = await asyncio.to_thread(__import__, "bot.knowledge.store", fromlist=["KnowledgeStore"])
        kept = store.KnowledgeStore(await self._open_database())
        found = await kept.set_of(digest)
        if found is None:
            _log.error("knowledge_missing", set=digest, fix="`recado knowledge sync`, then `recado prompts release`")
            raise KnowledgeUnavailable("the released documents are not in this database")
        documents = await kept.documents(found.documents.values())
        vectors = await kept.vectors(found.documents.values(), self._embedder.name)
        if missing := [one.name for one in documents if one.digest not in vectors]:
            _log.error("knowledge_without_vectors", documents=len(missing), fix="`recado knowledge sync`")
            documents = [one for one in documents if one.digest in vectors]
        ordered = [vectors[one.digest] for one in documents]
        index = await asyncio.to_thread(KnowledgeIndex, documents, ordered)
        # The first text loads the model.
        await self._embedder.embed(["hola"])
        _log.info("knowledge_loaded", set=digest, documents=len(documents), passages=len(index.rows))
        return index

    async def close(self) -> None:
        for task in list(self._loading.values()):
            task.cancel()
        await asyncio.gather(*self._loading.values(), return_exceptions=True)
        await self._embedder.close()

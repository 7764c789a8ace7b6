"""Brings the database up to date with the folder; a document is read and embedded again only if it has changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.knowledge.capacity import MOST_IN_MEMORY, capacity_words, most_passages
from bot.knowledge.document import FileFinding, KnowledgeDocument
from bot.knowledge.embeddings import Embedder
from bot.knowledge.folder import FolderReader, SourceFile, list_folder
from bot.knowledge.passage_table import PassageTable
from bot.knowledge.passages import units_of
from bot.knowledge.store import KnowledgeStore
from bot.messages.language import Language
from pipelines.image import ReadText

_DIGITS = 16


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The set of the folder's documents; `read` and `embedded` count the documents that were new."""

    digest: str
    documents: dict[str, str]
    findings: tuple[FileFinding, ...]
    read: int
    embedded: int
    passages: int


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """Callbacks of a sync: `files` gets the number of files, and `done` is called after each."""

    files: Callable[[int], None] = lambda _: None
    done: Callable[[], None] = lambda: None


class KnowledgeSync:
    def __init__(
        self,
        store: KnowledgeStore,
        embedder: Embedder,
        default_language: Language,
        read_text: ReadText | None = None,
        *,
        most_in_memory: int = MOST_IN_MEMORY,
    ) -> None:
        self._store = store
        self._table = PassageTable(store.database)
        self._embedder = embedder
        self._default_language = default_language
        self._read_text = read_text
        self._most_in_memory = most_in_memory

    async def run(
        self, folder: Path, answers: KnowledgeDocument | None = None, progress: SyncProgress | None = None
    ) -> SyncReport:
        """Sync a folder, and the `answers` that people accepted. Raises FolderMissing and EmbeddingsFailed."""
        progress = progress or SyncProgress()
        listed = await asyncio.to_thread(list_folder, folder)
        progress.files(len(listed.files))
        known = await self._store.known(source.digest for source in listed.files)
        findings = [*listed.findings, *(finding for some in known.values() for finding in some)]
        documents = {source.name: source.digest for source in listed.files if source.digest in known}
        for _ in documents:
            progress.done()
        why_not = await self._table.why_not()
        most = most_passages(why_not)
        room = most - await self._store.passages(documents.values())
        missing_files = [source for source in listed.files if source.digest not in known]
        new = await self._read(missing_files, findings, progress, room, most)
        documents |= new
        if answers is not None:
            await self._store.keep_document(answers, [])
            documents[answers.name] = answers.digest
        missing = await self._store.without_vectors(documents.values(), self._embedder.name)
        passages = await self._embed(missing)
        digest = set_digest(documents)
        total = await self._store.passages(documents.values())
        if words := capacity_words(total, why_not, self._most_in_memory):
            findings.append(FileFinding(".", words, is_error=False))
        if total > self._most_in_memory and why_not is None:
            await self._into_table(digest, documents)
        await self._store.keep_set(digest, documents, self._embedder.name, findings)
        await self._table.forget_gone()
        return SyncReport(digest, documents, tuple(findings), len(new), len(missing), passages)

    async def _read(
        self, sources: list[SourceFile], findings: list[FileFinding], progress: SyncProgress, room: int, most: int
    ) -> dict[str, str]:
        """Read, embed and store one document after the other, so that a stop loses the work on one document only."""
        found: dict[str, str] = {}
        reader = FolderReader(self._default_language, self._read_text)
        try:
            async with aclosing(_read_ahead(reader, sources)) as documents:
                async for source, document, wrong in documents:
                    findings += wrong
                    if document is not None and len(document.passages) > room:
                        findings.append(FileFinding(source.name, f"is left out: more than {most} passages in all"))
                    elif document is not None:
                        room -= len(document.passages)
                        await self._keep_vectors(document)
                        await self._store.keep_document(document, wrong)
                        found[document.name] = document.digest
                    progress.done()
        finally:
            await reader.close()
        return found

    async def _into_table(self, digest: str, documents: Mapping[str, str]) -> None:
        """Bring a set that is too large for memory into PostgreSQL's own index."""
        await self._table.prepare()
        model = self._embedder.name
        for name in await self._table.missing(documents.values(), model):
            (document,) = await self._store.documents([name])
            vectors = (await self._store.vectors([name], model))[name]
            await self._table.keep(document, vectors, model)
        await self._table.complete(digest, documents.values(), model)

    async def _embed(self, digests: set[str]) -> int:
        """Make missing vectors, as after a change of the model; gives the number of passages."""
        documents = await self._store.documents(digests)
        for document in documents:
            await self._keep_vectors(document)
        return sum(len(document.passages) for document in documents)

    async def _keep_vectors(self, document: KnowledgeDocument) -> None:
        texts = [text for passage in document.passages for text in units_of(passage)]
        vectors = await self._embedder.embed(texts)
        await self._store.keep_vectors(document.digest, self._embedder.name, vectors)


async def _read_ahead(
    reader: FolderReader, sources: Sequence[SourceFile]
) -> AsyncGenerator[tuple[SourceFile, KnowledgeDocument | None, list[FileFinding]], None]:
    """Read each document while the previous one is embedded; reading runs in its own process."""
    following = iter(sources)
    task: asyncio.Task[Any] | None = None
    try:
        for source in sources:
            task = task or asyncio.create_task(reader.read(next(following)))
            document, wrong = await task
            after = next(following, None)
            task = asyncio.create_task(reader.read(after)) if after else None
            yield source, document, wrong
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def set_digest(documents: Mapping[str, str]) -> str:
    """Name of a set: a hash of its documents' names and digests."""
    lines = "\n".join(f"{name}\0{digest}" for name, digest in sorted(documents.items()))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]

"""Builds a searchable index of a folder in memory, without a database: for evaluations and benches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.knowledge.document import FileFinding, KnowledgeDocument
from bot.knowledge.embeddings import Embedder
from bot.knowledge.folder import FolderReader, list_folder
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.passages import units_of
from bot.knowledge.scale import scale_of
from bot.knowledge.scans import scanned_pages
from bot.messages.language import Language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BuiltKnowledge:
    index: KnowledgeIndex
    documents: tuple[KnowledgeDocument, ...]
    findings: tuple[FileFinding, ...]


async def build(folder: Path, embedder: Embedder, default_language: Language = "es") -> BuiltKnowledge:
    """Read and index all documents of a folder. Raises FolderMissing and EmbeddingsFailed."""
    documents, findings = await read_documents(folder, default_language)
    return BuiltKnowledge(await index_of(documents, embedder), tuple(documents), tuple(findings))


async def read_documents(folder: Path, default_language: Language) -> tuple[list[KnowledgeDocument], list[FileFinding]]:
    """Read all documents of a folder. Raises FolderMissing."""
    listed = await asyncio.to_thread(list_folder, folder)
    documents: list[KnowledgeDocument] = []
    findings = [*listed.findings]
    async with scanned_pages() as scans:
        reader = FolderReader(default_language, scans)
        try:
            for source in listed.files:
                document, wrong = await reader.read(source)
                findings += wrong
                if document is not None:
                    documents.append(document)
        finally:
            await reader.close()
    return documents, findings


async def index_of(
    documents: Sequence[KnowledgeDocument], embedder: Embedder, known: Mapping[str, Vectors] | None = None
) -> KnowledgeIndex:
    """Index documents, and embed those whose vectors aren't `known` by their digests."""
    vectors = [
        known[document.digest]
        if known and document.digest in known
        else await embedder.embed([text for passage in document.passages for text in units_of(passage)])
        for document in documents
    ]
    return await asyncio.to_thread(KnowledgeIndex, documents, vectors, await scale_of(embedder))

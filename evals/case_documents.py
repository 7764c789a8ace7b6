"""Documents of an evaluation: the company's own, and those beside the cases that no customer gets.

The company's are those of the set that the next release names, so that its gate proves what customers will get. Where
nothing is synced, they are those of the folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog

from bot.database.opening import open_current
from bot.knowledge.building import index_of, read_documents
from bot.knowledge.document import KnowledgeDocument
from bot.knowledge.embeddings import Embedder, embedder_of
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.knowledge import Knowledge
from bot.settings import Settings

_log = structlog.get_logger()
# Folder beside the cases, such as of documents that give orders to the model.
BESIDE = "documents"
# The set's name, because a run has only one.
SET = "evaluation"


@dataclass(frozen=True, slots=True)
class SyncedDocuments:
    """Documents of a set, and their vectors by digest."""

    documents: Sequence[KnowledgeDocument]
    vectors: Mapping[str, Any]


class SetMissing(Exception):
    """The database doesn't have the set."""


async def synced_documents(settings: Settings, digest: str) -> SyncedDocuments:
    """Read a set from the database. Raises SetMissing, SchemaOutdated and errors of the database."""
    store = import_module("bot.knowledge.store")
    database = await open_current(settings.database.url.get_secret_value())
    try:
        kept = store.KnowledgeStore(database)
        found = await kept.set_of(digest)
        if found is None:
            raise SetMissing(f"the set {digest} of documents is not in the database; `recado knowledge sync`")
        documents = await kept.documents(found.documents.values())
        model = embedder_of(settings.embeddings).name
        return SyncedDocuments(documents, await kept.vectors(found.documents.values(), model))
    finally:
        await database.close()


def knowledge_of_cases(settings: Settings, cases: Path, synced: SyncedDocuments | None) -> Knowledge | None:
    """Documents that are read at the first search of a run; nothing is stored, and no gap is kept. None without any."""
    folders = [cases / BESIDE] if synced else [settings.knowledge.dir, cases / BESIDE]
    there = [folder for folder in folders if folder.is_dir()]
    if not there and not synced:
        return None
    embedder = embedder_of(settings.embeddings)

    async def read(_: str) -> KnowledgeIndex:
        return await _index(there, embedder, settings, synced)

    return Knowledge(read, embedder)


async def _index(
    folders: list[Path], embedder: Embedder, settings: Settings, synced: SyncedDocuments | None
) -> KnowledgeIndex:
    documents = list(synced.documents) if synced else []
    for folder in folders:
        found, findings = await read_documents(folder, settings.service.default_language)
        documents += found
        for finding in findings:
            if finding.is_error:
                _log.warning("document_left_out", why=str(finding))
    return await index_of(documents, embedder, synced.vectors if synced else {})

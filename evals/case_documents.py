"""Documents of an evaluation: the company's own, and those beside the cases that no customer gets."""

from __future__ import annotations

from pathlib import Path

import structlog

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


def documents_of(settings: Settings, cases: Path) -> list[Path]:
    """The folders of documents that there are."""
    return [folder for folder in (settings.knowledge.dir, cases / BESIDE) if folder.is_dir()]


def knowledge_of_cases(settings: Settings, folders: list[Path]) -> Knowledge:
    """Documents that are read at the first search of a run; nothing is stored, and no gap is kept."""
    embedder = embedder_of(settings.embeddings)

    async def read(_: str) -> KnowledgeIndex:
        return await _index(folders, embedder, settings)

    return Knowledge(read, embedder)


async def _index(folders: list[Path], embedder: Embedder, settings: Settings) -> KnowledgeIndex:
    documents: list[KnowledgeDocument] = []
    for folder in folders:
        found, findings = await read_documents(folder, settings.service.default_language)
        documents += found
        for finding in findings:
            if finding.is_error:
                _log.warning("document_left_out", why=str(finding))
    return await index_of(documents, embedder)

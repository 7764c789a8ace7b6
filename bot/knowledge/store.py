"""Documents, vectors and sets in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Row, delete, func, insert, select

from bot.database.engine import Database
from bot.knowledge.document import FileFinding, KnowledgeDocument, Passage
from bot.knowledge.tables import DOCUMENTS, SETS, VECTORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    HalfVectors = NDArray[np.float16]

# Names in one query; SQLite takes 32,766 variables.
_AT_ONCE = 500
# Sets that are kept; a release of prompts may name any of its last hundred.
KEPT_SETS = 100


@dataclass(frozen=True, slots=True)
class KnowledgeSet:
    """Documents that belong together, by name; `model` made their vectors."""

    digest: str
    documents: dict[str, str]
    model: str
    synced_at: datetime
    findings: tuple[FileFinding, ...] = ()


class KnowledgeStore:
    """`numpy` and SQLAlchemy are loaded with this module, so it is imported where somebody searches or syncs."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def known(self, digests: Iterable[str]) -> dict[str, list[FileFinding]]:
        """Documents that are stored already, with the findings of their reading."""
        found: dict[str, list[FileFinding]] = {}
        async with self.database.reading() as connection:
            for some in _pieces(list(digests)):
                query = select(DOCUMENTS.c.digest, DOCUMENTS.c.findings).where(DOCUMENTS.c.digest.in_(some))
                for row in await connection.execute(query):
                    found[row.digest] = [FileFinding(**finding) for finding in row.findings]
        return found

    async def without_vectors(self, digests: Iterable[str], model: str) -> set[str]:
        """Documents whose passages have no vectors of this model."""
        missing = set(digests)
        async with self.database.reading() as connection:
            for some in _pieces(sorted(missing)):
                query = select(VECTORS.c.digest).where(VECTORS.c.digest.in_(some), VECTORS.c.model == model)
                missing -= set((await connection.execute(query)).scalars())
        return missing

    async def keep_document(self, document: KnowledgeDocument, findings: Sequence[FileFinding]) -> None:
        async with self.database.writing() as connection:
            await connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.digest == document.digest))
            row = {
                **{name: getattr(document, name) for name in _COLUMNS},
                "passages": [asdict(passage) for passage in document.passages],
                "findings": [asdict(finding) for finding in findings],
            }
            await connection.execute(insert(DOCUMENTS).values(**row))

    async def keep_vectors(self, digest: str, model: str, vectors: Vectors) -> None:
        floats = np.asarray(vectors, np.float16).tobytes()
        row = {"digest": digest, "model": model, "width": int(vectors.shape[1]), "floats": floats}
        async with self.database.writing() as connection:
            await connection.execute(delete(VECTORS).where(VECTORS.c.digest == digest, VECTORS.c.model == model))
            await connection.execute(insert(VECTORS).values(**row))

    async def keep_set(
        self, digest: str, documents: dict[str, str], model: str, findings: Sequence[FileFinding]
    ) -> None:
        """Make this the newest set; delete older sets, and the documents that no remaining set names."""
        row = {
            "digest": digest,
            "synced_at": datetime.now(UTC),
            "model": model,
            "documents": documents,
            "findings": [asdict(finding) for finding in findings],
        }
        async with self.database.writing() as connection:
            await connection.execute(delete(SETS).where(SETS.c.digest == digest))
            await connection.execute(insert(SETS).values(**row))
            sets = (
                await connection.execute(select(SETS.c.digest, SETS.c.documents).order_by(SETS.c.synced_at.desc()))
            ).all()
            old = [old_set.digest for old_set in sets[KEPT_SETS:]]
            if old:
                named = {document for kept_set in sets[:KEPT_SETS] for document in kept_set.documents.values()}
                gone = {document for old_set in sets[KEPT_SETS:] for document in old_set.documents.values()} - named
                await connection.execute(delete(SETS).where(SETS.c.digest.in_(old)))
                for some in _pieces(sorted(gone)):
                    await connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.digest.in_(some)))
                    await connection.execute(delete(VECTORS).where(VECTORS.c.digest.in_(some)))

    async def newest_set(self) -> KnowledgeSet | None:
        return await self._set(select(SETS).order_by(SETS.c.synced_at.desc()).limit(1))

    async def set_of(self, digest: str) -> KnowledgeSet | None:
        return await self._set(select(SETS).where(SETS.c.digest == digest))

    async def _set(self, query: Any) -> KnowledgeSet | None:
        async with self.database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        findings = tuple(FileFinding(**finding) for finding in row.findings)
        return KnowledgeSet(row.digest, row.documents, row.model, row.synced_at, findings)

    async def documents(self, digests: Iterable[str]) -> list[KnowledgeDocument]:
        """Documents by their digests, by name."""
        found: list[KnowledgeDocument] = []
        async with self.database.reading() as connection:
            for some in _pieces(sorted(set(digests))):
                rows = await connection.execute(select(DOCUMENTS).where(DOCUMENTS.c.digest.in_(some)))
                found += [_document(row) for row in rows]
        return sorted(found, key=lambda document: document.name)

    async def outlines(self, digests: Iterable[str]) -> list[KnowledgeDocument]:
        """Documents by their digests, by name, without their passages."""
        found: list[KnowledgeDocument] = []
        columns = [DOCUMENTS.c[name] for name in _COLUMNS]
        async with self.database.reading() as connection:
            for some in _pieces(sorted(set(digests))):
                rows = await connection.execute(select(*columns).where(DOCUMENTS.c.digest.in_(some)))
                found += [KnowledgeDocument(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's name for a row as a mapping
        return sorted(found, key=lambda document: document.name)

    async def passages(self, digests: Iterable[str]) -> int:
        """The number of passages of documents."""
        length = func.jsonb_array_length if self.database.is_postgresql else func.json_array_length
        counted = 0
        async with self.database.reading() as connection:
            for some in _pieces(sorted(set(digests))):
                query = select(func.sum(length(DOCUMENTS.c.passages))).where(DOCUMENTS.c.digest.in_(some))
                counted += int((await connection.execute(query)).scalar() or 0)
        return counted

    async def vectors(self, digests: Iterable[str], model: str) -> dict[str, HalfVectors]:
        """Vectors of documents by this model."""
        found: dict[str, HalfVectors] = {}
        async with self.database.reading() as connection:
            for some in _pieces(sorted(set(digests))):
                query = select(VECTORS).where(VECTORS.c.digest.in_(some), VECTORS.c.model == model)
                for row in await connection.execute(query):
                    found[row.digest] = np.frombuffer(row.floats, np.float16).reshape(-1, row.width)
        return found


_COLUMNS = ("digest", "name", "title", "language", "audience", "valid_from", "valid_until", "pages")


def _document(row: Row[Any]) -> KnowledgeDocument:
    passages = tuple(
        Passage(passage["text"], passage["location"], tuple(passage["questions"])) for passage in row.passages
    )
    return KnowledgeDocument(**{name: getattr(row, name) for name in _COLUMNS}, passages=passages)


def _pieces(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))

"""Passages with their vectors in PostgreSQL with pgvector, for sets that are too large for a worker's memory.

The tables are made by the first sync that needs them, because the extension is not everywhere. A passage stands there
once for each model; `knowledge_terms` counts the passages of a set that hold a term.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.advisory_locks import AdvisoryLock, hold
from bot.database.engine import Database
from bot.knowledge.document import KnowledgeDocument
from bot.knowledge.index import indexed_text
from bot.knowledge.passages import units_of
from bot.knowledge.search_result import Row
from bot.knowledge.word_ranking import terms_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    AnyVectors = NDArray[np.floating[Any]]

# Iterative index scans, which go on until enough rows pass a filter, came with this version of pgvector:
# https://github.com/pgvector/pgvector#iterative-index-scans
OLDEST_PGVECTOR = (0, 8)
# Prefixes in knowledge_terms: of stems and concepts, of sounds, and of statistics of the whole set.
STEM, SOUND = "s_", "n_"
_TOTAL, _STEM_LENGTH, _SOUND_LENGTH = "*", "*s", "*n"
_HUNDREDTHS = 100
_LONGEST_INDEXED = 4000

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS knowledge_passages (
        document varchar(32) NOT NULL, model varchar(200) NOT NULL, place integer NOT NULL,
        is_pair boolean NOT NULL, terms tsvector NOT NULL, whole halfvec NOT NULL,
        stem_count integer NOT NULL, sound_count integer NOT NULL,
        detail text NOT NULL, units bytea NOT NULL, PRIMARY KEY (document, model, place)
    ) WITH (toast_tuple_target = 4080)
    """,
    # Each search compares them for thousands of passages, so that they stay in the row; the rest is read for a few.
    "ALTER TABLE knowledge_passages ALTER COLUMN terms SET STORAGE MAIN, ALTER COLUMN whole SET STORAGE MAIN",
    "CREATE INDEX IF NOT EXISTS ix_knowledge_passages_terms ON knowledge_passages USING gin (terms)",
    "CREATE INDEX IF NOT EXISTS ix_knowledge_passages_pairs ON knowledge_passages (document) WHERE is_pair",
    """
    CREATE TABLE IF NOT EXISTS knowledge_terms (
        set varchar(32) NOT NULL, term text NOT NULL, passages integer NOT NULL, PRIMARY KEY (set, term)
    )
    """,
)
_INSERT = text("""
    INSERT INTO knowledge_passages
        (document, model, place, is_pair, terms, whole, stem_count, sound_count, detail, units)
    VALUES (:document, :model, :place, :is_pair, array_to_tsvector(CAST(:terms AS text[])),
            CAST(:whole AS real[])::halfvec, :stem_count, :sound_count, :detail, :units)
    ON CONFLICT DO NOTHING
""")
_IS_THERE = text("SELECT DISTINCT document FROM knowledge_passages WHERE model = :model AND place = 0")
_COUNT_TERMS = """
    INSERT INTO knowledge_terms (set, term, passages)
    SELECT '{digest}', word, ndoc FROM ts_stat($$
        SELECT terms FROM knowledge_passages JOIN wanted USING (document) WHERE model = {model}
    $$)
"""


@dataclass(frozen=True, slots=True)
class SetStatistics:
    """Numbers of passages that hold a stem or a sound, of all passages, and the mean numbers of terms in one."""

    stems: dict[str, int]
    sounds: dict[str, int]
    total: int
    stem_length: float
    sound_length: float


class PassageTable:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def why_not(self) -> str | None:
        """The reason for which the database can't hold passages; None if it can."""
        if not self._database.is_postgresql:
            return "SQLite has no pgvector"
        query = "SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'"
        async with self._database.reading() as connection:
            row = (await connection.execute(text(query))).one_or_none()
        if row is None:
            return "this PostgreSQL has no pgvector"
        version = row.installed_version or row.default_version
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_PGVECTOR:
            return f"pgvector {version} is too old; 0.8 is needed"
        return None

    async def has(self, digest: str) -> bool:
        """Whether a set is here, whole."""
        if not self._database.is_postgresql:
            return False
        async with self._database.reading() as connection:
            if (await connection.execute(text("SELECT to_regclass('knowledge_terms')"))).scalar() is None:
                return False
            found = await connection.execute(
                text("SELECT 1 FROM knowledge_terms WHERE set = :digest AND term = :total"),
                {"digest": digest, "total": _TOTAL},
            )
            return found.first() is not None

    async def prepare(self) -> None:
        """Make the extension and the tables where they are missing."""
        async with self._database.writing() as connection:
            await hold(connection, AdvisoryLock.PASSAGES)
            await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
            for statement in _TABLES:
                await connection.execute(text(statement))

    async def missing(self, digests: Collection[str], model: str) -> list[str]:
        """Documents whose passages are not here yet."""
        async with self._database.reading() as connection:
            known = set((await connection.execute(_IS_THERE, {"model": model})).scalars())
        return sorted(set(digests) - known)

    async def keep(self, document: KnowledgeDocument, vectors: AnyVectors, model: str) -> None:
        """Store a document's passages, in one transaction."""
        rows, start, vectors = [], 0, np.asarray(vectors, np.float32)
        for place, passage in enumerate(document.passages):
            count = len(units_of(passage))
            units, start = vectors[start : start + count], start + count
            rows.append(_row(Row(document, passage), units) | {"place": place, "model": model})
        async with self._database.writing() as connection:
            await connection.execute(_INSERT, rows)

    async def complete(self, digest: str, documents: Collection[str], model: str) -> None:
        """Count the terms of a set and index its vectors: from now on it can be searched here."""
        async with self._database.writing() as connection:
            await hold(connection, AdvisoryLock.PASSAGES)
            await self._index(connection, model)
            await connection.execute(text("DELETE FROM knowledge_terms WHERE set = :digest"), {"digest": digest})
            await connection.execute(text("CREATE TEMP TABLE wanted (document varchar(32) PRIMARY KEY) ON COMMIT DROP"))
            await connection.execute(
                text("INSERT INTO wanted SELECT unnest(CAST(:documents AS text[]))"), {"documents": sorted(documents)}
            )
            counted = _COUNT_TERMS.format(digest=_plain(digest), model=quoted(model))
            await connection.exec_driver_sql(counted)
            lengths = """
                INSERT INTO knowledge_terms
                SELECT CAST(:digest AS text), unnest(CAST(:names AS text[])),
                       unnest(ARRAY[count(*), (avg(stem_count) * 100)::bigint, (avg(sound_count) * 100)::bigint])
                FROM knowledge_passages JOIN wanted USING (document) WHERE model = :model
            """
            await connection.execute(text("ANALYZE knowledge_passages"))
            names = [_TOTAL, _STEM_LENGTH, _SOUND_LENGTH]
            await connection.execute(text(lengths), {"names": names, "digest": digest, "model": model})

    @staticmethod
    async def _index(connection: AsyncConnection, model: str) -> None:
        """Index the vectors of a model, unless they are too wide: then all are compared."""
        query = text("SELECT vector_dims(whole) FROM knowledge_passages WHERE model = :model LIMIT 1")
        width = int((await connection.execute(query, {"model": model})).scalar() or 0)
        if not width or width > _LONGEST_INDEXED:
            return
        await connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        name = hashlib.sha256(f"{model}\0{width}".encode()).hexdigest()[:12]
        await connection.exec_driver_sql(
            f"CREATE INDEX IF NOT EXISTS ix_knowledge_passages_{name} ON knowledge_passages "
            f"USING hnsw ((whole::halfvec({width})) halfvec_ip_ops) WHERE model = {quoted(model)}"
        )

    async def forget_gone(self) -> None:
        """Delete what no stored document and no kept set names."""
        if not self._database.is_postgresql:
            return
        async with self._database.writing() as connection:
            if (await connection.execute(text("SELECT to_regclass('knowledge_terms')"))).scalar() is None:
                return
            for statement in (
                "DELETE FROM knowledge_passages WHERE document NOT IN (SELECT digest FROM knowledge_documents)",
                "DELETE FROM knowledge_terms WHERE set NOT IN (SELECT digest FROM knowledge_sets)",
            ):
                await connection.execute(text(statement))

    async def statistics(self, digest: str) -> SetStatistics:
        """Read the numbers of a set's terms."""
        query = text("SELECT term, passages FROM knowledge_terms WHERE set = :digest")
        stems: dict[str, int] = {}
        sounds: dict[str, int] = {}
        about: dict[str, int] = {}
        async with self._database.reading() as connection:
            for term, passages in await connection.execute(query, {"digest": digest}):
                kept = stems if term.startswith(STEM) else sounds if term.startswith(SOUND) else about
                kept[term if kept is about else term[len(STEM) :]] = passages
        lengths = (about[name] / _HUNDREDTHS for name in (_STEM_LENGTH, _SOUND_LENGTH))
        return SetStatistics(stems, sounds, about[_TOTAL], *lengths)


def _row(row: Row, units: Vectors) -> dict[str, Any]:
    stemmed, sounds = terms_of(indexed_text(row), row.document.language or "es")
    whole = units.mean(axis=0)
    passage = row.passage
    detail = {
        "text": passage.text,
        "location": passage.location,
        "questions": passage.questions,
        "stems": " ".join(stemmed),
        "sounds": " ".join(sounds),
    }
    return {
        "document": row.document.digest,
        "is_pair": bool(passage.questions),
        "terms": sorted({*(STEM + stem for stem in stemmed), *(SOUND + sound for sound in sounds)}),
        "whole": (whole / max(float(np.linalg.norm(whole)), 1e-9)).tolist(),
        "stem_count": len(stemmed),
        "sound_count": len(sounds),
        "detail": json.dumps(detail),
        "units": np.asarray(units, np.float16).tobytes(),
    }


def quoted(value: str) -> str:
    """A literal, for statements that take no variables."""
    return "'" + value.replace("'", "''") + "'"


def _plain(digest: str) -> str:
    if not digest.isalnum():
        raise ValueError("the name of a set has letters and digits alone")
    return digest

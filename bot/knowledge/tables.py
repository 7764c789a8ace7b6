"""Tables of documents, of their vectors, and of the sets of documents that releases name."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, String, Table, Text

from bot.database.schema import METADATA, Json, Timestamp

# A document as it was read, by the digest of its content; it never changes.
DOCUMENTS = Table(
    "knowledge_documents",
    METADATA,
    Column("digest", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("language", String(8)),
    Column("audience", String(16), nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("pages", Integer),
    Column("passages", Json, nullable=False),
    Column("findings", Json, nullable=False),
)

# The vectors of a document's passages by one model, as 16-bit floats row by row.
VECTORS = Table(
    "knowledge_vectors",
    METADATA,
    Column("digest", String(32), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("width", Integer, nullable=False),
    Column("floats", LargeBinary, nullable=False),
)

# A set of documents; `documents` maps names to digests.
SETS = Table(
    "knowledge_sets",
    METADATA,
    Column("digest", String(32), primary_key=True),
    Column("synced_at", Timestamp, nullable=False),
    Column("model", String(200), nullable=False),
    Column("documents", Json, nullable=False),
    Column("findings", Json, nullable=False),
)
Index("ix_knowledge_sets_synced_at", SETS.c.synced_at)

# Questions that people answered from suggestions, beside those of questions.md; and suggestions that were rejected.
ANSWERS = Table(
    "knowledge_answers",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("audience", String(16), nullable=False),
    Column("origin", Json, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Timestamp, nullable=False),
)

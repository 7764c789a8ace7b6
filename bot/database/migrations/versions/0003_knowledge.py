"""Passages of the company documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.database.schema import Json, Timestamp

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "knowledge_documents",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("pages", sa.Integer),
        sa.Column("passages", Json, nullable=False),
        sa.Column("findings", Json, nullable=False),
    )
    op.create_table(
        "knowledge_vectors",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("floats", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "knowledge_sets",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("synced_at", Timestamp, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("documents", Json, nullable=False),
        sa.Column("findings", Json, nullable=False),
    )
    op.create_index("ix_knowledge_sets_synced_at", "knowledge_sets", ["synced_at"])
    op.create_table(
        "knowledge_answers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("origin", Json, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_at", Timestamp, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("knowledge_answers", "knowledge_sets", "knowledge_vectors", "knowledge_documents"):
        op.drop_table(table)

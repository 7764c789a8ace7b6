"""Operators, their sessions and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.database.schema import Json, Timestamp

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "operators",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("disabled_at", Timestamp),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
        sa.UniqueConstraint("email_key", name="uq_operators_email_key"),
    )
    _create_of_operator(
        "password_links",
        sa.Column("expires_at", Timestamp, nullable=False),
        sa.Column("used_at", Timestamp),
    )
    _create_of_operator(
        "sessions",
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("expires_at", Timestamp, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    _create_log_and_replies()


def _create_log_and_replies() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    for column in ("at", "who", "action", "object"):
        op.create_index(f"ix_audit_log_{column}", "audit_log", [column])
    op.create_table(
        "canned_replies",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("shortcut", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_canned_replies"),
        sa.UniqueConstraint("shortcut", name="uq_canned_replies_shortcut"),
    )


def _create_of_operator(name: str, *columns: sa.Column[object]) -> None:
    """Create a table of secrets that belong to an operator, by the hash of each."""
    op.create_table(
        name,
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("operator_id", sa.String(32), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("token_hash", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], name=f"fk_{name}_operator_id", ondelete="CASCADE"),
    )
    op.create_index(f"ix_{name}_operator_id", name, ["operator_id"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("canned_replies", "audit_log", "sessions", "password_links", "operators"):
        op.drop_table(name)

"""Tables of operators, their links and sessions, the audit log and the canned replies."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from bot.database.schema import METADATA, Json, Timestamp

# SQLite numbers rows by itself only where the key is its INTEGER.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

OPERATORS = Table(
    "operators",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("email", Text, nullable=False),
    # The address without its capitals: two spellings are one person.
    Column("email_key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text),
    Column("created_at", Timestamp, nullable=False),
    Column("disabled_at", Timestamp),
)

PASSWORD_LINKS = Table(
    "password_links",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("operator_id", String(32), ForeignKey("operators.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", Timestamp, nullable=False),
    Column("used_at", Timestamp),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("operator_id", String(32), ForeignKey("operators.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp, nullable=False, index=True),
    Column("address", Text, nullable=False),
)

AUDIT_LOG = Table(
    "audit_log",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", Timestamp, nullable=False, index=True),
    # An address or our own name as text, and no foreign key, so that an entry never changes.
    Column("who", Text, nullable=False, index=True),
    Column("action", String(64), nullable=False, index=True),
    Column("object", Text, nullable=False, index=True),
    Column("details", Json, nullable=False),
    Column("address", Text, nullable=False),
)

CANNED_REPLIES = Table(
    "canned_replies",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("shortcut", String(64), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("language", String(8)),
    Column("updated_at", Timestamp, nullable=False),
    Column("updated_by", Text, nullable=False),
)

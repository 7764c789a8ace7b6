"""Contacts, conversations and messages, as Recado saw them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.database.schema import Json, Timestamp

revision = "0001"
down_revision = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# Full text. SQLite keeps an index beside the table, by triggers. `remove_diacritics 2` folds á and a into one.
_SQLITE = (
    """
    CREATE VIRTUAL TABLE messages_words USING fts5(
      body, transcript, content='messages', content_rowid='seq', tokenize='unicode61 remove_diacritics 2',
      prefix='2 3'
    )
    """,
    """
    CREATE TRIGGER messages_words_insert AFTER INSERT ON messages
    WHEN new.body IS NOT NULL OR new.transcript IS NOT NULL BEGIN
      INSERT INTO messages_words(rowid, body, transcript) VALUES (new.seq, new.body, new.transcript);
    END
    """,
    """
    CREATE TRIGGER messages_words_delete AFTER DELETE ON messages
    WHEN old.body IS NOT NULL OR old.transcript IS NOT NULL BEGIN
      INSERT INTO messages_words(messages_words, rowid, body, transcript)
      VALUES ('delete', old.seq, old.body, old.transcript);
    END
    """,
    """
    CREATE TRIGGER messages_words_forget AFTER UPDATE OF body, transcript ON messages
    WHEN (old.body IS NOT NULL OR old.transcript IS NOT NULL)
      AND (old.body IS NOT new.body OR old.transcript IS NOT new.transcript) BEGIN
      INSERT INTO messages_words(messages_words, rowid, body, transcript)
      VALUES ('delete', old.seq, old.body, old.transcript);
    END
    """,
    """
    CREATE TRIGGER messages_words_update AFTER UPDATE OF body, transcript ON messages
    WHEN (new.body IS NOT NULL OR new.transcript IS NOT NULL)
      AND (old.body IS NOT new.body OR old.transcript IS NOT new.transcript) BEGIN
      INSERT INTO messages_words(rowid, body, transcript) VALUES (new.seq, new.body, new.transcript);
    END
    """,
    "CREATE VIRTUAL TABLE contacts_parts USING fts5(folded, content='contacts', tokenize='trigram')",
    """
    CREATE TRIGGER contacts_parts_insert AFTER INSERT ON contacts BEGIN
      INSERT INTO contacts_parts(rowid, folded) VALUES (new.rowid, new.folded);
    END
    """,
    """
    CREATE TRIGGER contacts_parts_delete AFTER DELETE ON contacts BEGIN
      INSERT INTO contacts_parts(contacts_parts, rowid, folded) VALUES ('delete', old.rowid, old.folded);
    END
    """,
    """
    CREATE TRIGGER contacts_parts_update AFTER UPDATE OF folded ON contacts WHEN old.folded IS NOT new.folded BEGIN
      INSERT INTO contacts_parts(contacts_parts, rowid, folded) VALUES ('delete', old.rowid, old.folded);
      INSERT INTO contacts_parts(rowid, folded) VALUES (new.rowid, new.folded);
    END
    """,
)

# PostgreSQL finds words as they stand, and by their Spanish and English stems. The function is immutable as long as
# nobody changes the dictionaries, which PostgreSQL can't know of `unaccent`.
_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS unaccent",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """
    CREATE FUNCTION recado_words(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT to_tsvector('simple'::regconfig, plain) || to_tsvector('spanish'::regconfig, said)
        || to_tsvector('english'::regconfig, plain)
      FROM unaccent(said) AS plain
    $$
    """,
    """
    ALTER TABLE messages ADD COLUMN words tsvector
    GENERATED ALWAYS AS (recado_words(left(coalesce(body, '') || ' ' || coalesce(transcript, ''), 20000))) STORED
    """,
    "CREATE INDEX ix_messages_words ON messages USING gin (words)",
    "CREATE INDEX ix_contacts_folded ON contacts USING gin (folded gin_trgm_ops)",
)


def upgrade() -> None:
    """Create the tables of the history."""
    _people()
    _messages()
    _news_of_messages()
    _turns()
    _handovers()
    for statement in _POSTGRESQL if op.get_context().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)


def _people() -> None:
    op.create_table(
        "contacts",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("phone", sa.String(32)),
        sa.Column("bsuid", sa.String(160)),
        sa.Column("language", sa.String(8)),
        sa.Column("ad", sa.Text),
        sa.Column("folded", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("state_at", Timestamp, nullable=False),
        sa.Column("assigned_to", sa.String(320)),
        sa.Column("unread", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_at", Timestamp, nullable=False),
        sa.Column("last_name", sa.String(200)),
        sa.Column("last_author", sa.String(16)),
        sa.Column("last_kind", sa.String(32)),
        sa.Column("last_text", sa.Text),
        sa.Column("last_inbound_at", Timestamp),
        sa.Column("waiting_since", Timestamp),
        sa.Column("answered_until", Timestamp),
        sa.Column("seen_until", Timestamp),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("closed_at", Timestamp),
        sa.Column("merged_into", sa.String(64)),
    )
    op.create_index("ix_conversations_last_at", "conversations", ["last_at", "id"])
    op.create_index("ix_conversations_state", "conversations", ["state", "last_at", "id"])
    op.create_index("ix_conversations_assigned_to", "conversations", ["assigned_to", "last_at", "id"])
    op.create_index("ix_conversations_waiting_since", "conversations", ["state", "waiting_since", "id"])
    op.create_table(
        "erased_conversations",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("at", Timestamp, nullable=False),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("seq", _COUNTED, primary_key=True, autoincrement=True),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("author", sa.String(16)),
        sa.Column("author_name", sa.String(320)),
        sa.Column("kind", sa.String(32)),
        sa.Column("body", sa.Text),
        sa.Column("transcript", sa.Text),
        sa.Column("payload", Json),
        sa.Column("file", sa.Text),
        sa.Column("quoted", sa.String(200)),
        sa.Column("turn", sa.String(64)),
        sa.Column("state", sa.Text),
        sa.Column("edited_at", Timestamp),
        sa.Column("deleted_at", Timestamp),
    )
    op.create_index("uq_messages_conversation_name", "messages", ["conversation", "name"], unique=True)
    op.create_index("ix_messages_conversation_at", "messages", ["conversation", "at", "seq"])
    op.create_index("ix_messages_at", "messages", ["at"])


def _news_of_messages() -> None:
    op.create_table(
        "deliveries",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("wamid", sa.String(200)),
        sa.Column("sent_at", Timestamp),
        sa.Column("delivered_at", Timestamp),
        sa.Column("read_at", Timestamp),
        sa.Column("played_at", Timestamp),
        sa.Column("failed_at", Timestamp),
        sa.Column("error", sa.Integer),
        sa.Column("why", sa.Text),
        sa.Column("price_type", sa.String(64)),
        sa.Column("price_category", sa.String(64)),
    )
    op.create_index("ix_deliveries_conversation_wamid", "deliveries", ["conversation", "wamid"])
    op.create_index("ix_deliveries_at", "deliveries", ["at"])
    op.create_table(
        "changes",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("author", sa.String(16), nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("before", sa.Text),
    )
    op.create_index("ix_changes_conversation_target", "changes", ["conversation", "target"])
    op.create_index("ix_changes_at", "changes", ["at"])


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("outcome", sa.String(32)),
        sa.Column("why", sa.Text),
        sa.Column("release", sa.String(64)),
        sa.Column("cost_usd", sa.Numeric(14, 8)),
        sa.Column("tokens", sa.Integer),
        sa.Column("trace", Json),
        sa.Column("asked", sa.LargeBinary),
    )
    op.create_index("ix_turns_id", "turns", ["id"])
    op.create_index("ix_turns_at", "turns", ["at"])
    op.create_table(
        "product_cards",
        sa.Column("product", sa.String(80), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("previous", Json, nullable=False),
        sa.Column("photos", Json, nullable=False),
        sa.Column("checked", sa.Boolean, nullable=False, server_default="false"),
    )
    op.create_index("ix_product_cards_conversation", "product_cards", ["conversation"])
    op.create_index("ix_product_cards_at", "product_cards", ["at"])


def _handovers() -> None:
    op.create_table(
        "handovers",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("operator", sa.String(320)),
        sa.Column("assigned_to", sa.String(320)),
        sa.Column("reason", sa.Text),
    )
    op.create_index("ix_handovers_at", "handovers", ["at"])
    op.create_table(
        "notes",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("at", Timestamp, nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("mentions", Json),
    )
    op.create_index("ix_notes_at", "notes", ["at"])
    op.create_table(
        "labels",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("label", sa.String(64), primary_key=True),
    )
    op.create_index("ix_labels_label", "labels", ["label"])


def downgrade() -> None:
    """Drop the tables of the history."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE messages_words")
        op.execute("DROP TABLE contacts_parts")
    for name in (
        "labels", "notes", "handovers", "product_cards", "turns", "changes", "deliveries", "messages",
        "erased_conversations", "conversations", "contacts",
    ):  # fmt: skip
        op.drop_table(name)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION recado_words(text)")

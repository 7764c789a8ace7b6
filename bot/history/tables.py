"""Tables of the history. A row of a message is known by its conversation and its name within it.

The name of a customer's message is its wamid, that of a part of ours `reply.index`, as in the callbacks of Meta's
statuses. Rows of several tables may come in any order, so that no table has a foreign key.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Numeric, String, Table, Text

from bot.database.schema import METADATA, Json, Timestamp

_Counted = BigInteger().with_variant(Integer, "sqlite")

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("conversation", String(64), primary_key=True),
    Column("name", Text),
    Column("phone", String(32)),
    Column("bsuid", String(160)),
    Column("language", String(8)),
    Column("ad", Text),
    # Name, phone and BSUID without accents and capitals, for the search.
    Column("folded", Text, nullable=False, server_default=""),
)

# `answered_until` and `seen_until`: up to there the customer's messages are answered by the bot, or seen by a person.
CONVERSATIONS = Table(
    "conversations",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("state_at", Timestamp, nullable=False),
    Column("assigned_to", String(320)),
    Column("unread", Integer, nullable=False, server_default="0"),
    Column("last_at", Timestamp, nullable=False),
    Column("last_name", String(200)),
    Column("last_author", String(16)),
    Column("last_kind", String(32)),
    Column("last_text", Text),
    Column("last_inbound_at", Timestamp),
    Column("waiting_since", Timestamp),
    Column("answered_until", Timestamp),
    Column("seen_until", Timestamp),
    Column("created_at", Timestamp, nullable=False),
    Column("closed_at", Timestamp),
    Column("merged_into", String(64)),
    Index("ix_conversations_last_at", "last_at", "id"),
    Index("ix_conversations_state", "state", "last_at", "id"),
    Index("ix_conversations_assigned_to", "assigned_to", "last_at", "id"),
    Index("ix_conversations_waiting_since", "state", "waiting_since", "id"),
)

# A row without a kind is of a message that hasn't come yet, while its turn or a change of it has.
MESSAGES = Table(
    "messages",
    METADATA,
    Column("seq", _Counted, primary_key=True, autoincrement=True),
    Column("conversation", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("at", Timestamp, nullable=False),
    Column("author", String(16)),
    Column("author_name", String(320)),
    Column("kind", String(32)),
    Column("body", Text),
    Column("transcript", Text),
    Column("payload", Json),
    Column("file", Text),
    Column("quoted", String(200)),
    Column("turn", String(64)),
    Column("state", Text),
    Column("edited_at", Timestamp),
    Column("deleted_at", Timestamp),
    Index("uq_messages_conversation_name", "conversation", "name", unique=True),
    Index("ix_messages_conversation_at", "conversation", "at", "seq"),
    Index("ix_messages_at", "at"),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("conversation", String(64), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("at", Timestamp, nullable=False),
    Column("wamid", String(200)),
    Column("sent_at", Timestamp),
    Column("delivered_at", Timestamp),
    Column("read_at", Timestamp),
    Column("played_at", Timestamp),
    Column("failed_at", Timestamp),
    Column("error", Integer),
    Column("why", Text),
    Column("price_type", String(64)),
    Column("price_category", String(64)),
    Index("ix_deliveries_conversation_wamid", "conversation", "wamid"),
    Index("ix_deliveries_at", "at"),
)

# Reactions, edits and deletions; `target` is the wamid of their message, `value` the emoji or the new text.
# And ratings: `name` is that of the reply that asked, `target` that of its message, `value` the grade.
CHANGES = Table(
    "changes",
    METADATA,
    Column("conversation", String(64), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("at", Timestamp, nullable=False),
    Column("target", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("author", String(16), nullable=False),
    Column("value", Text),
    # The text that an edit replaced.
    Column("before", Text),
    Index("ix_changes_conversation_target", "conversation", "target"),
    Index("ix_changes_at", "at"),
)

# `asked`: the exact messages to the models, compressed, until one of the messages is deleted by its sender.
TURNS = Table(
    "turns",
    METADATA,
    Column("conversation", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("at", Timestamp, nullable=False),
    Column("outcome", String(32)),
    Column("why", Text),
    Column("release", String(64)),
    Column("cost_usd", Numeric(14, 8)),
    Column("tokens", Integer),
    Column("trace", Json),
    Column("asked", LargeBinary),
    Index("ix_turns_id", "id"),
    Index("ix_turns_at", "at"),
)

HANDOVERS = Table(
    "handovers",
    METADATA,
    Column("conversation", String(64), primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("at", Timestamp, nullable=False),
    Column("action", String(16), nullable=False),
    Column("operator", String(320)),
    Column("assigned_to", String(320)),
    Column("reason", Text),
    Index("ix_handovers_at", "at"),
)

NOTES = Table(
    "notes",
    METADATA,
    Column("conversation", String(64), primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("at", Timestamp, nullable=False),
    Column("author", String(320), nullable=False),
    Column("text", Text, nullable=False),
    Column("mentions", Json),
    Index("ix_notes_at", "at"),
)

LABELS = Table(
    "labels",
    METADATA,
    Column("conversation", String(64), primary_key=True),
    Column("label", String(64), primary_key=True),
    Index("ix_labels_label", "label"),
)

PRODUCT_CARDS = Table(
    "product_cards",
    METADATA,
    Column("product", String(80), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("conversation", String(64), nullable=False),
    Column("at", Timestamp, nullable=False),
    Column("fields", Json, nullable=False),
    Column("previous", Json, nullable=False),
    Column("photos", Json, nullable=False),
    Column("checked", Boolean, nullable=False, server_default="false"),
    Index("ix_product_cards_conversation", "conversation"),
    Index("ix_product_cards_at", "at"),
)

# Names of erased conversations, which are never used again: entries that come late are dropped.
ERASED = Table(
    "erased_conversations",
    METADATA,
    Column("conversation", String(64), primary_key=True),
    Column("at", Timestamp, nullable=False),
)

# Tables whose rows belong to a conversation, by their column of its name; they have `at`, but for contacts and labels.
BY_CONVERSATION = (MESSAGES, DELIVERIES, CHANGES, TURNS, HANDOVERS, NOTES)

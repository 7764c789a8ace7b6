"""Contacts, conversations and messages, as Recado saw them."""

from __future__ import annotations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables of the history."""


def downgrade() -> None:
    """Drop the tables of the history."""

"""Products to find."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.database.schema import Timestamp

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables of products."""
    op.create_table(
        "products",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("price", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("barcode", sa.String(48), nullable=False),
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("stock", sa.String(32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("card", sa.String(64), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("removed_at", Timestamp()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.UniqueConstraint("sku"),
    )
    for column in ("gtin", "barcode", "card", "revision"):
        op.create_index(f"ix_products_{column}", "products", [column])
    op.create_table(
        "catalogue_cards",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables of products."""
    op.drop_table("catalogue_cards")
    op.drop_table("products")

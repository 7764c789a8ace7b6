"""Entered by Alembic with an open connection, which bot.database.upgrade hands over."""

from __future__ import annotations

from alembic import context

from bot.database.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()

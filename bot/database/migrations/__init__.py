"""Alembic's migrations, one file a step; `recado db upgrade` performs them."""

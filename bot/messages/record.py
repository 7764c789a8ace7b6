"""The model of every value that is stored or queued."""

from __future__ import annotations

from pydantic import BaseModel


class Record(BaseModel, frozen=True, hide_input_in_errors=True):
    """A value that crosses a wall (Redis, a queue) and never changes; errors about it, which are logged, hide it."""

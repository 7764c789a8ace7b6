"""The model of every value that is stored or queued."""

from __future__ import annotations

from pydantic import BaseModel


class Record(BaseModel, frozen=True, hide_input_in_errors=True):
    """A frozen value in Redis or a queue; its validation errors, which we log, hide the value."""

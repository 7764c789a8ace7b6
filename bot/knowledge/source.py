"""A passage that the model was given, as the trace of a turn keeps it."""

from __future__ import annotations

from bot.messages.record import Record


class KnowledgeSource(Record):
    """`place` is the page, the heading or the rows; `score` is the confidence of 0 to 1."""

    source: str
    place: str
    text: str
    score: float

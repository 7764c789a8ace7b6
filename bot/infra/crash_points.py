"""Named points at which the reliability tests kill a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

Point = Literal[
    "webhook: nothing stored yet",
    "webhook: stored, no job asked for",
    "webhook: stored, not acknowledged",
    "webhook: turns asked for, no job added",
    "turn: conversation taken",
    "turn: begun",
    "turn: perceived",
    "turn: model answered, not written down",
    "turn: tool has acted, not written down",
    "turn: closing",
    "turn: closed, nothing sent",
    "outbox: about to ask Meta",
    "outbox: Meta has it, not recorded",
    "outbox: recorded",
    "turn: about to let go",
    "notice: sent, job not done",
    "summary: made, not kept",
    "history: read, not written",
    "history: written, not removed",
    "worker: closing",
]
POINTS: tuple[Point, ...] = get_args(Point)

Hook = Callable[[Point], None]
_hook: Hook | None = None


def passing(point: Point) -> None:
    """Announce that the process is at this point; in production this is a single comparison."""
    if _hook is not None:
        _hook(point)


def listen(hook: Hook | None) -> None:
    """Call `hook` at every point, or nothing; for tests and benches alone."""
    global _hook  # noqa: PLW0603 - one process, one listener: no object is handed to every place for the sake of tests
    _hook = hook

"""The simulator's clock: the real time, moved forward by tests and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


class Clock:
    """Seconds since 1970; `source` is the running clock below it."""

    def __init__(self, source: Callable[[], datetime]) -> None:
        self._source = source
        self._ahead = timedelta()
        self._held: int | None = None

    def now(self) -> int:
        return int((self._source() + self._ahead).timestamp()) if self._held is None else self._held

    @property
    def ahead_seconds(self) -> float:
        """Seconds by which the clock was moved forward."""
        return self._ahead.total_seconds()

    @ahead_seconds.setter
    def ahead_seconds(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def move_to(self, moment: int) -> None:
        """Move forward only, as Stripe's test clocks do."""
        if moment < self.now():
            raise ValueError(f"{datetime.fromtimestamp(moment, UTC).isoformat()} has passed already")
        self._ahead = datetime.fromtimestamp(moment, UTC) - self._source()

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Set this moment meanwhile, because due work must happen at its own time, however late it is noticed."""
        self._held, before = moment, self._held
        try:
            yield
        finally:
            self._held = before

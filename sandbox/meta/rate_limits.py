"""Meta's two rate limits: messages a second for a number, and a burst with slow refill for each person."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.meta.errors import GraphRefusal

# Meta allows about one message in six seconds to one person, and a burst borrows from the time that follows.
_PAIR_REFILL = timedelta(seconds=6)
_STANDARD = 80
_A_SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class MessageRateLimits:
    """Counts accepted messages: `pair_burst` at once to one person, `throughput` a second to all."""

    clock: Callable[[], datetime]
    pair_burst: int
    throughput: int
    _paid_until: dict[str, datetime] = field(default_factory=dict, init=False)
    _last_second: deque[datetime] = field(default_factory=deque, init=False)

    @property
    def level(self) -> str:
        """Meta's name for the throughput."""
        return "HIGH" if self.throughput > _STANDARD else "STANDARD"

    def count(self, recipient: str) -> None:
        """Count one message to the recipient; beyond a limit raise GraphRefusal (130429, 131056) instead."""
        now = self.clock()
        while self._last_second and now - self._last_second[0] >= _A_SECOND:
            self._last_second.popleft()
        if len(self._last_second) >= self.throughput:
            raise GraphRefusal(130429, f"More than {self.throughput} messages in a second")
        paid_until = max(self._paid_until.get(recipient, now), now) + _PAIR_REFILL
        if paid_until - now > self.pair_burst * _PAIR_REFILL:
            raise GraphRefusal(131056, "Too many messages to the same phone number in a short period of time")
        self._paid_until[recipient] = paid_until
        self._last_second.append(now)

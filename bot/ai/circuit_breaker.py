"""Circuit breaker of models: a model that keeps failing is not asked for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_AFTER = 5
_FIRST_SECONDS = 5.0
_LONGEST_SECONDS = 120.0


@dataclass(slots=True)
class _State:
    failures: int = 0
    seconds: float = 0.0
    until: float = 0.0
    half_open: bool = False


class CircuitBreaker:
    """State by model, one breaker for a process; `clock` gives seconds.

    After five failures in a row a model's circuit is open for 5 s. Then one request tries it (half open); each failed
    trial doubles the pause, up to two minutes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    def available(self, models: tuple[str, ...]) -> tuple[str, ...]:
        """Models to ask, in their order; if all circuits are open, the one that closes first."""
        now = self._clock()
        states = {model: self._states.get(model) or _State() for model in models}
        up = tuple(model for model, state in states.items() if state.until <= now)
        return up or (min(models, key=lambda model: states[model].until),)

    def trying(self, model: str) -> None:
        """Note the trial of a model after its pause, so that no other request asks it until the answer."""
        state = self._states.get(model)
        if state and state.seconds and state.until <= self._clock():
            state.until = self._clock() + state.seconds
            state.half_open = True

    def is_open(self, model: str) -> bool:
        state = self._states.get(model)
        return state is not None and state.until > self._clock()

    def succeeded(self, model: str) -> None:
        self._states.pop(model, None)

    def failed(self, model: str) -> bool:
        """Count a failure; True if it opens the circuit.

        Requests from before the opening tell nothing new, so only a failed trial prolongs the pause.
        """
        state = self._states.setdefault(model, _State())
        state.failures += 1
        if state.failures < _AFTER or (self.is_open(model) and not state.half_open):
            return False
        state.half_open = False
        state.seconds = min(state.seconds * 2 or _FIRST_SECONDS, _LONGEST_SECONDS)
        state.until = self._clock() + state.seconds
        return True

"""A model that fails again and again is left alone for a while, so that nobody waits for it in vain."""

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
    """One for a process. After five failures in a row a model rests for 5 s, then one question tries it out; each
    trial that fails doubles the rest, up to two minutes. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    def available(self, models: tuple[str, ...]) -> tuple[str, ...]:
        """Those to ask, in their order; where all rest, the one whose rest is over first: somebody is always asked."""
        now = self._clock()
        states = {model: self._states.get(model) or _State() for model in models}
        up = tuple(model for model, state in states.items() if state.until <= now)
        return up or (min(models, key=lambda model: states[model].until),)

    def trying(self, model: str) -> None:
        """A rested model is being tried: until the answer is here, the others don't ask it."""
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
        """Count a failure; True when the model goes to rest with it.

        Those who asked before it went to rest tell nothing new: only a trial that fails prolongs the rest.
        """
        state = self._states.setdefault(model, _State())
        state.failures += 1
        if state.failures < _AFTER or (self.is_open(model) and not state.half_open):
            return False
        state.half_open = False
        state.seconds = min(state.seconds * 2 or _FIRST_SECONDS, _LONGEST_SECONDS)
        state.until = self._clock() + state.seconds
        return True

"""Comparison of a candidate with the current release: pure functions of both arms' tallies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bot.prompting.canary import Arm
from bot.prompting.canary_metrics import Tallies, Tally
from bot.prompting.confidence import Z_99, Interval, mean, wilson_interval

# Turns that each arm needs before the comparison judges.
LEAST_TURNS = 30
# Because operators may want somewhat longer or dearer replies, only this factor counts as worse.
_FACTOR = 1.5
_MICRO = 1_000_000

_SHARES = {"errors": "errors", "hand_overs": "hand-overs", "thumbs_down": "thumbs-down"}
_MEANS = {"cost": "cost in USD", "length": "characters"}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share (0 to 1) of an arm's turns, or a mean over them, with its 99 % interval."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Signal:
    """Compared signal of both arms. Cost is in US dollars a turn, length in characters a turn."""

    name: str
    kind: Literal["share", "mean"]
    current: Estimate
    candidate: Estimate
    worse: bool

    def __str__(self) -> str:
        return f"{self.label} {self.shown('candidate')} against {self.shown('current')}"

    @property
    def label(self) -> str:
        return (_SHARES | _MEANS)[self.name]

    def shown(self, arm: Arm) -> str:
        estimate: Estimate = getattr(self, arm)
        low, high = estimate.interval
        if self.kind == "share":
            return f"{estimate.value:.1%} ({low:.1%} … {high:.1%})"
        form = ".6f" if self.name == "cost" else ".0f"
        return f"{estimate.value:{form}} ({low:{form}} … {high:{form}})"


def compare(tallies: Tallies) -> tuple[Signal, ...]:
    """Compare all signals of both arms; none is worse before both arms have 30 turns.

    A share is worse if the candidate's interval lies wholly above the current one's. A mean is worse if its interval
    lies wholly above 1.5 times the current one's. Intervals that don't touch are a stricter test than one at 5 %
    (N. Schenker, J. F. Gentleman, The American Statistician 55, 2001). Because each turn repeats the test, it has to
    be strict. Of canaries with 5,000 turns, a tenth of them the candidate's, 99 % intervals drop one harmless
    candidate in a hundred. With 95 % intervals it would be six.
    """
    enough = min(tallies.current.turns, tallies.candidate.turns) >= LEAST_TURNS
    return tuple(_signals(tallies.current, tallies.candidate, enough=enough))


def worse(tallies: Tallies) -> tuple[Signal, ...]:
    """Signals in which the candidate is clearly worse."""
    return tuple(signal for signal in compare(tallies) if signal.worse)


def _signals(current: Tally, candidate: Tally, *, enough: bool) -> Iterator[Signal]:
    for name in _SHARES:
        old, new = _share(current, name), _share(candidate, name)
        yield Signal(name, "share", old, new, enough and new.interval[0] > old.interval[1])
    for name in _MEANS:
        old, new = _mean(current, name), _mean(candidate, name)
        yield Signal(name, "mean", old, new, enough and new.interval[0] > _FACTOR * old.interval[1])


def _share(tally: Tally, name: str) -> Estimate:
    # Because a turn may have several messages with a thumbs-down each, the share is capped.
    hits = min(getattr(tally, name), tally.turns)
    return Estimate(hits / tally.turns if tally.turns else 0.0, wilson_interval(hits, tally.turns, Z_99))


def _mean(tally: Tally, name: str) -> Estimate:
    unit = _MICRO if name == "cost" else 1
    total, squares = getattr(tally, name), getattr(tally, f"{name}_squares")
    low, high = mean(total, squares, tally.turns, Z_99)
    return Estimate(total / max(tally.turns, 1) / unit, (low / unit, high / unit))


def as_json(signals: tuple[Signal, ...]) -> list[dict[str, Any]]:
    return [
        {"name": signal.name, "kind": signal.kind, "worse": signal.worse}
        | {arm: _estimate(getattr(signal, arm)) for arm in ("current", "candidate")}
        for signal in signals
    ]


def _estimate(estimate: Estimate) -> dict[str, Any]:
    # Because JSON has no infinity, an arm without turns gets no upper bound.
    low, high = estimate.interval
    return {"value": estimate.value, "interval": [low, None if high == float("inf") else high]}

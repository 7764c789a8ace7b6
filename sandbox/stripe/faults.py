"""Planned faults of Stripe: a test or the page orders them, and each happens as often as ordered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

# `rate_limit` (429), `error` (500), `unavailable` (503) and `html` (502) do nothing. `drop` does the work and loses
# the answer, `slow` does it and answers late. `decline` is the bank's answer to the next payment.
Kind = Literal["rate_limit", "error", "unavailable", "html", "drop", "slow", "decline"]


@dataclass(slots=True)
class StripeFault:
    """A fault for the next `times` calls with this start of the path; `code` is a bank's reason to decline."""

    kind: Kind
    times: int = 1
    path: str = ""
    seconds: float = 0
    code: str = "generic_decline"


class StripeFaults:
    """The planned faults, in the order of planning; `on_change` is called after each change."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._planned: list[StripeFault] = []
        self._changed = changed

    def plan(self, fault: StripeFault) -> None:
        self._planned.append(fault)
        self._changed()

    def take(self, path: str) -> StripeFault | None:
        """The fault that hits this call, or None; taking it uses it up."""
        found = (each for each in self._planned if each.kind != "decline" and path.startswith(each.path))
        return self._use(next(found, None))

    def take_decline(self) -> str | None:
        fault = self._use(next((each for each in self._planned if each.kind == "decline"), None))
        return fault.code if fault else None

    def cancel(self, kind: Kind | None = None) -> None:
        self._planned = [fault for fault in self._planned if kind not in (None, fault.kind)]
        self._changed()

    def armed(self) -> list[dict[str, Any]]:
        return [{"kind": fault.kind, "times": fault.times, "path": fault.path} for fault in self._planned]

    def _use(self, fault: StripeFault | None) -> StripeFault | None:
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._planned.remove(fault)
            self._changed()
        return fault

"""Stripe's bad days, on order: what a test or the page says will go wrong, goes wrong as often as it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

# `rate_limit` (429), `error` (500), `unavailable` (503) and `html` (502) do nothing; `drop` does the work and loses
# the answer, `slow` does it and answers late; `decline` is the bank's answer to the next payment.
Kind = Literal["rate_limit", "error", "unavailable", "html", "drop", "slow", "decline"]


@dataclass(slots=True)
class StripeFault:
    """One kind of trouble for the next `times` calls whose path starts so; `code` is a bank's reason to decline."""

    kind: Kind
    times: int = 1
    path: str = ""
    seconds: float = 0
    code: str = "generic_decline"


class StripeFaults:
    """What will go wrong next, in the order it was asked for; `changed` is called when that has changed."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._planned: list[StripeFault] = []
        self._changed = changed

    def plan(self, fault: StripeFault) -> None:
        self._planned.append(fault)
        self._changed()

    def take(self, path: str) -> StripeFault | None:
        """The fault that hits this call, if one does; it is used up by it."""
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

"""Planned faults of Meta: a test or the page orders them, and each happens once or as often as ordered."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sandbox.meta.parties import Person

# Faults of Graph's answers up to `html`, of webhooks up to `slow`, then of Meta's view of a person.
Kind = Literal[
    "refuse", "fail", "drop", "delay", "html", "twice", "reverse", "late", "batch", "slow", "hidden", "closed"
]
# Calls that a fault hits: messages to people, read marks, all media calls, only the bytes of a file, the list of
# templates, or all calls.
Call = Literal["messages", "read", "media", "download", "templates", "all"]


@dataclass(slots=True)
class MetaFault:
    """A fault for the next `times` calls (None: until cancelled); `to` is a phone or BSUID, None for all."""

    kind: Kind
    times: int | None = 1
    call: Call = "messages"
    to: str | None = None
    code: int = 0
    status: int | None = None
    seconds: float = 0
    held: int = 0

    def hits(self, kind: Kind, person: Person | None) -> bool:
        names = {person.phone, person.bsuid} if person else set()
        return self.kind == kind and (self.to is None or self.to in names)


class MetaFaults:
    """The planned faults, in the order of planning; `on_change` is called after each change."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._planned: list[MetaFault] = []
        self.on_change = changed

    def plan(self, fault: MetaFault) -> None:
        self._planned.append(fault)
        self.on_change()

    def take(self, kind: Kind, call: Call = "messages", person: Person | None = None) -> MetaFault | None:
        """The fault of this kind that hits this call, or None; taking it uses it up."""
        fault = next((each for each in self._planned if each.call == call and each.hits(kind, person)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._planned.remove(fault)
            self.on_change()
        return fault

    def active(self, kind: Kind, person: Person | None = None) -> MetaFault | None:
        """The fault of this kind that is in force now; it isn't used up."""
        return next((fault for fault in self._planned if fault.hits(kind, person)), None)

    def cancel(self, kind: Kind | None = None, *, code: int | None = None, to: str | None = None) -> None:
        """Cancel planned faults of this kind, code and person, as far as these are given."""
        self._planned = [
            fault
            for fault in self._planned
            if kind not in (None, fault.kind) or code not in (None, fault.code) or to not in (None, fault.to)
        ]
        self.on_change()

    def as_visible(self, person: Person) -> Person:
        """The person as webhooks show them: without the phone while it is hidden."""
        return replace(person, phone=None) if self.active("hidden", person) else person

    def armed(self) -> list[dict[str, Any]]:
        """The planned faults as JSON for the page."""
        shown = ("kind", "times", "to", "code", "held")
        return [{name: getattr(fault, name) for name in shown} for fault in self._planned]

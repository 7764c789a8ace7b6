"""Meta's bad days, on order: what a test or the page says will go wrong, goes wrong once or as often as it says."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sandbox.meta.parties import Person

# Up to `html` what the Graph API answers, up to `slow` how webhooks arrive, then how Meta sees a person.
Kind = Literal[
    "refuse", "fail", "drop", "delay", "html", "twice", "reverse", "late", "batch", "slow", "hidden", "closed"
]
# What an answer's fault hits: messages to people, read marks, everything about media, the bytes of a file alone, the
# list of templates, or all calls.
Call = Literal["messages", "read", "media", "download", "templates", "all"]


@dataclass(slots=True)
class MetaFault:
    """One kind of trouble for the next `times` calls (None: until it is lifted); `to` a phone or BSUID, or anybody."""

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
    """What will go wrong next, in the order it was asked for; `changed` is called when that has changed."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._planned: list[MetaFault] = []
        self.on_change = changed

    def plan(self, fault: MetaFault) -> None:
        self._planned.append(fault)
        self.on_change()

    def take(self, kind: Kind, call: Call = "messages", person: Person | None = None) -> MetaFault | None:
        """The fault of this kind that hits this call, if one does; it is used up by it."""
        fault = next((each for each in self._planned if each.call == call and each.hits(kind, person)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._planned.remove(fault)
            self.on_change()
        return fault

    def active(self, kind: Kind, person: Person | None = None) -> MetaFault | None:
        """The fault of this kind that is in force now; it is not used up."""
        return next((fault for fault in self._planned if fault.hits(kind, person)), None)

    def cancel(self, kind: Kind | None = None, *, code: int | None = None, to: str | None = None) -> None:
        """Call off what was planned: of this kind, code and person as far as they are given."""
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
        """What is planned, for the page."""
        shown = ("kind", "times", "to", "code", "held")
        return [{name: getattr(fault, name) for name in shown} for fault in self._planned]

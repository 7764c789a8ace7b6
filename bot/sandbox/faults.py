"""Meta's bad days, on order: what a test says will go wrong, goes wrong once or as often as it says."""

from dataclasses import dataclass
from typing import Literal

from bot.sandbox.people import Person

Kind = Literal["refuse", "fail", "drop", "delay", "html"]
# What a fault hits: messages to people, read marks, or everything about media.
Call = Literal["messages", "read", "media"]


@dataclass(slots=True)
class Fault:
    """One kind of trouble for the next `times` calls; `to` a person's phone or BSUID, None is anybody."""

    kind: Kind
    times: int = 1
    call: Call = "messages"
    to: str | None = None
    code: int = 0
    status: int | None = None
    seconds: float = 0


class Faults:
    """What will go wrong next, in the order it was asked for."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        self._planned.append(fault)

    def take(self, kind: Kind, call: Call, person: Person | None = None) -> Fault | None:
        """The fault of this kind that hits this call, if one does; it is used up by it."""
        names = {person.phone, person.bsuid} if person else set()
        for fault in self._planned:
            if (fault.kind, fault.call) == (kind, call) and (fault.to is None or fault.to in names):
                fault.times -= 1
                if fault.times <= 0:
                    self._planned.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self._planned.clear()

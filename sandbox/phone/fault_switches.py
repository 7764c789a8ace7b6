"""The switches of the page's drawer: each is one of Meta's bad days, armed or called off."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.meta.faults import Fault
from sandbox.meta.simulator import Meta

_THREE_DAYS, _SLOW_SECONDS = 3 * 24 * 3600, 20
_FAULTS = {
    fault.kind: fault
    for fault in (
        Fault("twice"),
        Fault("reverse", 2),
        Fault("late", seconds=_THREE_DAYS),
        Fault("batch", None),
        Fault("slow", None, seconds=_SLOW_SECONDS),
        Fault("drop"),
        Fault("html"),
    )
}


class _Switch(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = True


class OnAnything(_Switch):
    """The next message, the next two (`reverse`), or all until it is off (`batch`, `slow`)."""

    kind: Literal["twice", "reverse", "late", "batch", "slow", "drop", "html"]


class Refusal(_Switch):
    """The next message to a person is refused; with 190 every call, until it is off."""

    kind: Literal["refuse"]
    code: Literal[131047, 131056, 130429, 190]


class Failure(_Switch):
    """The next message to a person is accepted, and fails later."""

    kind: Literal["fail"]
    code: Literal[131026, 131047, 131049, 131053]


class OnPerson(_Switch):
    """Until it is off, the phone of this person (a BSUID) is not shown, or their 24 hours are over."""

    kind: Literal["hidden", "closed"]
    person: Annotated[str, Field(min_length=1, max_length=300)]


class Nothing(_Switch):
    """All is called off."""

    kind: Literal["none"]


class Trouble(BaseModel):
    """What the page asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trouble: Annotated[OnAnything | Refusal | Failure | OnPerson | Nothing, Field(discriminator="kind")]


async def cause(meta: Meta, trouble: Trouble) -> None:
    """Arm it, once at most, or call it off; what was held back for it goes out."""
    match trouble.trouble:
        case Nothing():
            meta.faults.lift()
        case OnPerson(kind=kind, person=person):
            meta.faults.lift(kind, to=person)
        case OnAnything(kind=kind):
            meta.faults.lift(kind)
        case Refusal(kind=kind, code=code) | Failure(kind=kind, code=code):
            meta.faults.lift(kind, code=code)
    if trouble.trouble.on and (fault := _fault(trouble)):
        meta.faults.plan(fault)
    await meta.delivery.release()


def _fault(trouble: Trouble) -> Fault | None:
    match trouble.trouble:
        case Nothing():
            return None
        case OnPerson(kind=kind, person=person):
            return Fault(kind, None, to=person)
        case Refusal(code=190):
            return Fault("refuse", None, "all", code=190)
        case Refusal(kind=kind, code=code) | Failure(kind=kind, code=code):
            return Fault(kind, code=code)
        case OnAnything(kind=kind):
            return replace(_FAULTS[kind])

"""The switches of the page's fault drawer: each arms or cancels one of Meta's faults."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.meta.faults import MetaFault
from sandbox.meta.simulator import MetaSimulator

_THREE_DAYS, _SLOW_SECONDS = 3 * 24 * 3600, 20
_FAULTS = {
    fault.kind: fault
    for fault in (
        MetaFault("twice"),
        MetaFault("reverse", 2),
        MetaFault("late", seconds=_THREE_DAYS),
        MetaFault("batch", None),
        MetaFault("slow", None, seconds=_SLOW_SECONDS),
        MetaFault("drop"),
        MetaFault("html"),
    )
}


class _Switch(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = True


class ChannelFault(_Switch):
    """Hits the next message, the next two (`reverse`), or all until it is off (`batch`, `slow`)."""

    kind: Literal["twice", "reverse", "late", "batch", "slow", "drop", "html"]


class RefusedCall(_Switch):
    """Refuses the next message to a person; code 190 refuses every call until it is off."""

    kind: Literal["refuse"]
    code: Literal[131047, 131056, 130429, 190]


class FailedMessage(_Switch):
    """Accepts the next message to a person, and reports its failure later."""

    kind: Literal["fail"]
    code: Literal[131026, 131047, 131049, 131053]


class PersonFault(_Switch):
    """Hides the phone of this person (a BSUID), or closes their 24-hour window, until it is off."""

    kind: Literal["hidden", "closed"]
    person: Annotated[str, Field(min_length=1, max_length=300)]


class NoFaults(_Switch):
    """Cancels all faults."""

    kind: Literal["none"]


class FaultSwitch(BaseModel):
    """The body of the page's request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: Annotated[ChannelFault | RefusedCall | FailedMessage | PersonFault | NoFaults, Field(discriminator="kind")]


async def set_fault(meta: MetaSimulator, switch: FaultSwitch) -> None:
    """Arm the fault (at most once) or cancel it, and send the notifications that it held back."""
    match switch.fault:
        case NoFaults():
            meta.faults.cancel()
        case PersonFault(kind=kind, person=person):
            meta.faults.cancel(kind, to=person)
        case ChannelFault(kind=kind):
            meta.faults.cancel(kind)
        case RefusedCall(kind=kind, code=code) | FailedMessage(kind=kind, code=code):
            meta.faults.cancel(kind, code=code)
    if switch.fault.on and (fault := _fault(switch)):
        meta.faults.plan(fault)
    await meta.delivery.release()


def _fault(switch: FaultSwitch) -> MetaFault | None:
    match switch.fault:
        case NoFaults():
            return None
        case PersonFault(kind=kind, person=person):
            return MetaFault(kind, None, to=person)
        case RefusedCall(code=190):
            return MetaFault("refuse", None, "all", code=190)
        case RefusedCall(kind=kind, code=code) | FailedMessage(kind=kind, code=code):
            return MetaFault(kind, code=code)
        case ChannelFault(kind=kind):
            return replace(_FAULTS[kind])

"""Conversation Routing: one app owns a person's thread, and Meta refuses the words of all others."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from sandbox.meta.chats import Chats
from sandbox.meta.errors import GraphRefusal
from sandbox.meta.interactive import StrictModel
from sandbox.meta.parties import Business, Person
from sandbox.meta.validation import BSUID
from sandbox.meta.webhooks import Value, empty_value, unix_seconds

Role = Literal["ai_agent", "ctwa", "customer_service", "escalation", "marketing", "utility"]
Owner = Literal["us", "other", "nobody"]
_IDLE = timedelta(hours=24)
_MOST_METADATA = 2000


class _Pass(StrictModel):
    target_role: Role = "escalation"


class ThreadRequest(StrictModel):
    """The body of `POST /{number}/thread_control`."""

    messaging_product: Literal["whatsapp"]
    action: Literal["pass", "release", "take"]
    to: Annotated[str | None, Field(pattern=r"^\+?\d{7,15}$")] = None
    recipient: Annotated[str | None, Field(pattern=BSUID)] = None
    metadata: Annotated[str | None, Field(max_length=_MOST_METADATA)] = None
    control_pass: _Pass | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.to is None) == (self.recipient is None):
            raise PydanticCustomError("person", "exactly one of to and recipient is required")
        if self.control_pass is not None and self.action != "pass":
            raise PydanticCustomError("control_pass", "control_pass belongs to the action pass")
        return self


@dataclass(slots=True)
class ThreadRouting:
    """Owners of the threads. `enrolled`: the account routes at all; `escalation`: this app may take threads."""

    chats: Chats
    clock: Callable[[], datetime]
    enrolled: bool = False
    escalation: bool = True
    actions: list[str] = field(default_factory=list)
    _owners: dict[str, tuple[Owner, datetime]] = field(default_factory=dict)

    def owner(self, person: Person) -> Owner | None:
        """The owner; None for an idle thread, which is one without a word of the person in 24 hours."""
        owner, since = self._owners.get(person.bsuid, (None, self.clock()))
        last = max(since, self.chats.of(person).last_inbound or since)
        return owner if self.clock() - last < _IDLE else None

    def give(self, person: Person, owner: Owner) -> None:
        self.enrolled = True
        self._owners[person.bsuid] = (owner, self.clock())

    def receiver(self, person: Person) -> Owner:
        """The app that gets a message of the person; with an idle thread it becomes the owner."""
        if not self.enrolled:
            return "us"
        if self.owner(person) != "other":
            self.give(person, "us")
            return "us"
        return "other"

    def check_service(self, person: Person) -> None:
        """Refuse free text where this app doesn't own the thread; templates need no ownership."""
        if self.owner(person) in ("other", "nobody"):
            raise GraphRefusal(131070, "Another app owns this thread")

    def control(self, body: Any) -> None:
        """Perform a thread_control call, or raise GraphRefusal."""
        request = _parsed(body)
        phone = (request.to or "").removeprefix("+")
        person = self.chats.find(phone=phone, bsuid=request.recipient)
        if person is None:
            raise GraphRefusal(131026, "This person is not known to this business")
        if not self.enrolled:
            raise GraphRefusal(100, "The account is not enrolled for thread control")
        if request.action == "take":
            if not self.escalation:
                raise GraphRefusal(2494191, "Only the escalation partner may take a thread")
            self.give(person, "us")
        else:
            self.check_service(person)
            if request.action == "pass":
                self.give(person, "other")
            else:
                self.give(person, "nobody")
        self.actions.append(request.action)


def _parsed(body: Any) -> ThreadRequest:
    try:
        return ThreadRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise GraphRefusal(100, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def handover_value(
    business: Business, person: Person, move: Literal["control_passed", "control_taken"], at: datetime, **control: Any
) -> Value:
    """The `value` of a hand-over; it has no `metadata`, and names the person by the phone if there is one."""
    sender = {"phone_number": person.phone} if person.phone else {"user_id": person.bsuid}
    roles = {"control_passed": ("ai_agent", "escalation"), "control_taken": ("escalation", "ai_agent")}[move]
    told = {"previous_owner_role": roles[0], "new_owner_role": roles[1], "metadata": ""} | control
    recipient = empty_value(business)["metadata"]
    base = {"messaging_product": "whatsapp", "recipient": recipient, "sender": sender}
    return base | {"timestamp": unix_seconds(at), "type": move, move: told}


def standby_value(business: Business, person: Person, message: dict[str, Any]) -> Value:
    """The `value` of a copy of a message that another app answers."""
    sender = ({"from": person.phone} if person.phone else {}) | {"from_user_id": person.bsuid}
    return empty_value(business) | {"contacts": [person.as_contact()], "standby": {"messages": [sender | message]}}

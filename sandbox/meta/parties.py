"""The two ends of a chat: the business's number, and the people who write to it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Business:
    """A number and its account as Meta knows them; all ids are numeric text."""

    phone_number_id: str
    waba_id: str
    display_phone_number: str
    name: str = "Recado"


@dataclass(frozen=True, slots=True)
class Person:
    """A WhatsApp user; `phone` (digits) is None if WhatsApp hides it, `bsuid` is always known."""

    phone: str | None
    bsuid: str
    name: str
    username: str | None = None

    def as_contact(self) -> dict[str, Any]:
        """An entry of a webhook's `contacts`, in the shape since April 2026."""
        profile = {"name": self.name} | ({"username": f"@{self.username}"} if self.username else {})
        return {"profile": profile} | ({"wa_id": self.phone} if self.phone else {}) | {"user_id": self.bsuid}


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that Meta accepted; `person` is None when it reaches nobody (a BSUID in `to`).

    `request` is the JSON as received, `category` the price category.
    """

    wamid: str
    person: Person | None
    request: dict[str, Any] = field(hash=False)
    at: datetime
    category: str = "service"

    @property
    def type(self) -> str:
        return str(self.request.get("type", "text"))

    @property
    def text(self) -> str:
        """The text that the person reads: a body or a caption, else empty."""
        content = self.request.get(self.type)
        if not isinstance(content, dict):
            return ""
        body = content.get("body", content.get("caption", ""))
        return str(body.get("text", "") if isinstance(body, dict) else body)

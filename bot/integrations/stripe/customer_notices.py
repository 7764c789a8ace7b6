"""How news of billing reaches a customer: in the chat, by e-mail, in the browser; and how subscribers hear of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, cast

from redis.asyncio import Redis

from bot.conversations.contacts import Contact, Contacts
from bot.delivery.notifications import Notifications
from bot.delivery.policy import window_open
from bot.infra import queues
from bot.integrations.email.queue import enqueue
from bot.integrations.stripe.customers import CustomerDirectory
from bot.integrations.stripe.objects import Customer
from bot.messages.inbound import Template
from bot.messages.language import Language

Event = Literal["subscription.changed", "payment.recorded", "payment.failed"]
Tell = Callable[[Event, dict[str, Any], str], Awaitable[None]]
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Addressee:
    """A customer as somebody to write to; without `conversation` they never were linked to a contact."""

    language: Language
    name: str | None
    email: str | None
    conversation: str | None = None
    contact: Contact | None = None

    def as_data(self) -> dict[str, Any]:
        """Whom an event is about, as all events of ours tell it."""
        phone, bsuid = (self.contact.phone, self.contact.bsuid) if self.contact else (None, None)
        return {"conversation": self.conversation, "contact": {"phone": phone, "bsuid": bsuid, "name": self.name}}


@dataclass(frozen=True, slots=True)
class CustomerNotifier:
    """`by_mail` and `by_push` say what is configured; `tell` passes events on to subscribers, where there are any."""

    redis: Redis
    notices: Notifications
    contacts: Contacts
    links: CustomerDirectory
    zone: tzinfo
    default_language: Language
    by_mail: bool
    by_push: bool
    tell: Tell | None = None

    async def addressee(self, customer: Customer) -> Addressee:
        conversation = await self.links.conversation_of(customer)
        contact = await self.contacts.get(conversation) if conversation else None
        spoken = (contact.language if contact else None) or (customer.preferred_locales or (None,))[0] or ""
        language = spoken[:2] if spoken[:2] in ("es", "en") else self.default_language
        name = (contact.name if contact else None) or customer.name
        return Addressee(cast("Language", language), name, customer.email, conversation, contact)

    async def in_chat(self, who: Addressee, text: str, key: str, fallback: Template) -> None:
        """A text inside the 24-hour window, the template outside."""
        if who.conversation is not None:
            await self.notices.tell(who.conversation, text, key, fallback)

    async def in_open_chat(self, who: Addressee, text: str, key: str) -> None:
        """A text, if the person wrote lately: what is no more than good to know isn't worth a template."""
        if who.conversation is not None and who.contact and window_open(who.contact, datetime.now(UTC)):
            await self.notices.tell(who.conversation, text, key)

    async def mail(self, who: Addressee, template: str, data: dict[str, str], key: str) -> bool:
        """An e-mail, to the address that Stripe has; False when there is no way to send one."""
        if not (self.by_mail and who.email):
            return False
        whole = data | ({"name": who.name[:_NAME_LENGTH]} if who.name else {})
        job = {"to": who.email, "template": template, "data": whole, "language": who.language}
        await enqueue(self.redis, job, key)
        return True

    async def push(self, who: Addressee, title: str, body: str, key: str, url: str | None = None) -> None:
        """A notification in the browsers of the person, if they have any."""
        contact = who.contact and (who.contact.bsuid or who.contact.phone)
        if self.by_push and contact:
            job = {"contact": contact, "title": title, "body": body} | ({"url": url} if url else {})
            await queues.add(self.redis, "notification", "push", job, f"push-{key}")

    async def subscribers(self, event: Event, data: dict[str, Any], id_: str) -> None:
        if self.tell is not None:
            await self.tell(event, data, id_)

"""Tells customers about billing: whom, and through which channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.conversations.contacts import Contact, Contacts
from bot.delivery.notifications import Notifications
from bot.delivery.policy import window_open
from bot.infra import queues
from bot.integrations.email.jobs import enqueue
from bot.integrations.stripe.customers import CustomerDirectory
from bot.integrations.stripe.objects import Customer
from bot.messages.language import Language, language_from
from bot.messages.outbound import Template

_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Addressee:
    """A customer as the recipient of a notice; `conversation` is None when no contact was ever linked."""

    language: Language
    name: str | None
    email: str | None
    conversation: str | None = None
    contact: Contact | None = None

    def as_event_data(self) -> dict[str, Any]:
        """The fields by which all our events name a person."""
        phone, bsuid = (self.contact.phone, self.contact.bsuid) if self.contact else (None, None)
        return {"conversation": self.conversation, "contact": {"phone": phone, "bsuid": bsuid, "name": self.name}}


@dataclass(frozen=True, slots=True)
class Addressees:
    """Finds the person behind a customer of Stripe, and their language."""

    contacts: Contacts
    customers: CustomerDirectory
    default_language: Language

    async def of(self, customer: Customer) -> Addressee:
        conversation = await self.customers.conversation_of(customer)
        contact = await self.contacts.get(conversation) if conversation else None
        spoken = (contact.language if contact else None) or (customer.preferred_locales or (None,))[0]
        language = language_from(spoken, self.default_language)
        name = (contact.name if contact else None) or customer.name
        return Addressee(language, name, customer.email, conversation, contact)


@dataclass(frozen=True, slots=True)
class CustomerNotifier:
    """`by_email` and `by_push` say which channels are configured."""

    redis: Redis
    notifications: Notifications
    by_email: bool
    by_push: bool

    async def in_chat(self, addressee: Addressee, text: str, key: str, fallback: Template) -> None:
        """Send a text inside the 24-hour window, the template outside."""
        if addressee.conversation is not None:
            await self.notifications.send_text(addressee.conversation, text, key, fallback)

    async def in_open_chat(self, addressee: Addressee, text: str, key: str) -> None:
        """Send a text only inside the 24-hour window: this notice isn't worth a template."""
        if (
            addressee.conversation is not None
            and addressee.contact
            and window_open(addressee.contact, datetime.now(UTC))
        ):
            await self.notifications.send_text(addressee.conversation, text, key)

    async def email(self, addressee: Addressee, template: str, data: dict[str, str], key: str) -> bool:
        """Add an e-mail to the address that Stripe has; False when there is no way to send one."""
        if not (self.by_email and addressee.email):
            return False
        whole = data | ({"name": addressee.name[:_NAME_LENGTH]} if addressee.name else {})
        job = {"to": addressee.email, "template": template, "data": whole, "language": addressee.language}
        await enqueue(self.redis, job, key)
        return True

    async def push(self, addressee: Addressee, title: str, body: str, key: str, url: str | None = None) -> None:
        """Add a notification for the person's browsers, if they have any."""
        contact = addressee.contact and (addressee.contact.bsuid or addressee.contact.phone)
        if self.by_push and contact:
            job = {"contact": contact, "title": title, "body": body} | ({"url": url} if url else {})
            await queues.add(self.redis, "notification", "push", job, f"push-{key}")

"""Rules of sending to a person: Meta's 24-hour window, and the person's consent.

See https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.conversations.contacts import Contact, Contacts
from bot.conversations.waiting_list import WaitingList
from bot.messages.outbound import Part, Reply, Template
from bot.whatsapp.errors import GraphError, MetaUnavailable
from bot.whatsapp.templates.registry import TemplateNotSendable, Templates

# A minute less than Meta's 24 hours, because a message of the last moment arrives too late.
_WINDOW = timedelta(hours=24) - timedelta(minutes=1)
_ASK_AGAIN_SECONDS = 16.0
# Category of messages that a colleague starts, beside Meta's own categories of templates.
OWN = "own"


class SendPermission(StrEnum):
    ALLOWED = "allowed"
    WINDOW_CLOSED = "window_closed"  # only a template may leave, until the person writes
    OPTED_OUT = "opted_out"  # the person doesn't want messages of this kind
    UNREACHABLE = "unreachable"  # Meta could not deliver to this person several times


def may_send(part: Part, contact: Contact, category: str, now: datetime) -> SendPermission:
    """Whether a part may leave; `category` is that of the template, `own` for a colleague's message, else `service`.

    A free entry point (72 hours from an ad) is about prices only: free text needs the 24 hours all the same.
    """
    if contact.marketing_opt_out and category.lower() in ("marketing", OWN):
        return SendPermission.OPTED_OUT
    if window_open(contact, now):
        return SendPermission.ALLOWED
    if contact.unreachable:
        return SendPermission.UNREACHABLE
    return SendPermission.ALLOWED if isinstance(part, Template) else SendPermission.WINDOW_CLOSED


def window_open(contact: Contact, now: datetime) -> bool:
    """Whether the person wrote in the last 24 hours, and Meta has not called that too long ago."""
    last, refused = contact.last_inbound_at, contact.window_refused_at
    return last is not None and now - last < _WINDOW and (refused is None or last > refused)


class SendLater(Exception):
    """The message can't leave now; in so many seconds it may."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class SendPolicy:
    """Decides which form of a reply may leave now."""

    def __init__(self, contacts: Contacts, waiting_list: WaitingList, templates: Templates) -> None:
        self._contacts = contacts
        self._waiting_list = waiting_list
        self._templates = templates

    async def contact(self, conversation: str, known: Contact | None = None) -> Contact:
        """The contact; a message that waits for its turn opens the window already."""
        contact = known or await self._contacts.get(conversation)
        if window_open(contact, datetime.now(UTC)):
            return contact
        times = [message.sent_at for message in await self._waiting_list.messages(conversation)]
        newest = max([*times, *([contact.last_inbound_at] if contact.last_inbound_at else [])], default=None)
        return replace(contact, last_inbound_at=newest)

    async def allowed(self, reply: Reply, contact: Contact) -> Reply | SendPermission:
        """The reply, or its fallback while the window is closed; or the reason why neither may leave."""
        verdict = await self._verdict(reply, contact)
        if verdict is SendPermission.ALLOWED:
            return reply
        if verdict is SendPermission.WINDOW_CLOSED and reply.fallback is not None:
            instead = reply.model_copy(update={"id": f"{reply.id}-fallback", "parts": (reply.fallback,)})
            sendable = await self._category(reply.fallback, contact) is not None
            if sendable and await self._verdict(instead, contact) is SendPermission.ALLOWED:
                return instead
        return verdict

    async def _verdict(self, reply: Reply, contact: Contact) -> SendPermission:
        now = datetime.now(UTC)
        for part in reply.parts:
            category: str | None = None
            # Only for a person who opted out, because it costs a request.
            if isinstance(part, Template) and contact.marketing_opt_out:
                category = await self._category(part, contact)
            for kind in (category or "service", *((OWN,) if reply.own else ())):
                verdict = may_send(part, contact, kind, now)
                if verdict is not SendPermission.ALLOWED:
                    return verdict
        return SendPermission.ALLOWED

    async def _category(self, part: Template, contact: Contact) -> str | None:
        """The template's category at Meta; None for one that can't leave: sending it will raise the error."""
        try:
            return (await self._templates.prepare(part, contact.language)).category
        except TemplateNotSendable:
            return None
        except (GraphError, MetaUnavailable) as error:
            raise SendLater(_ASK_AGAIN_SECONDS, f"Meta does not tell of templates now: {error}") from error

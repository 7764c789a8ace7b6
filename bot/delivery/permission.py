"""Whether something may be sent to a person now: Meta's 24-hour window, and what the person wants (reference 8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from bot.conversations.contacts import Contact
from bot.messages.outbound import Part, Template

# A minute less than Meta's 24 hours: what leaves in the last moment arrives too late.
_WINDOW = timedelta(hours=24) - timedelta(minutes=1)
# What a colleague starts by themselves, beside Meta's own categories of templates.
OWN = "own"


class SendPermission(StrEnum):
    ALLOWED = "allowed"
    WINDOW_CLOSED = "window_closed"  # only a template may leave, until the person writes
    OPTED_OUT = "opted_out"  # the person doesn't want messages of this kind
    UNREACHABLE = "unreachable"  # Meta could not deliver to this person several times


def may_send(part: Part, contact: Contact, category: str, now: datetime) -> SendPermission:
    """Whether a part may leave; `category` is that of the template, `own` for what a colleague starts, else `service`.

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

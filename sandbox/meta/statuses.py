"""How far things come at Meta, told in webhooks: messages to people, and templates under review."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.meta.chats import Chats
from sandbox.meta.errors import Refused
from sandbox.meta.faults import Faults
from sandbox.meta.parties import Business, Person, Sent
from sandbox.meta.templates import Template
from sandbox.meta.webhooks import Value, seconds, status_value


@dataclass(frozen=True, slots=True)
class Progress:
    """Tells of statuses through `deliver`; `pauses` are the seconds before each step of `sent, delivered, read`."""

    business: Business
    chats: Chats
    faults: Faults
    clock: Callable[[], datetime]
    deliver: Callable[..., Awaitable[bool]]
    pauses: Sequence[float]

    async def climb(self, sent: Sent, person: Person, failure: Refused | None) -> None:
        """Go step by step; an unread chat stops at `delivered`, and Meta tells no more than `sent` of a reaction."""
        steps = ("sent",) if sent.type == "reaction" else ("sent", "delivered", "read")
        for status, pause in zip(steps, self.pauses, strict=False):
            slow = self.faults.standing("slow")
            await asyncio.sleep(pause + (slow.seconds if slow else 0))
            if failure is not None:
                await self.tell(sent, person, "failed", [failure.in_webhook()])
                return
            if status == "read" and not self.chats.is_open(person):
                return
            await self.tell(sent, person, status)

    async def tell(self, sent: Sent, person: Person, status: str, errors: list[dict[str, Any]] | None = None) -> None:
        """One status, in the chat and in a webhook."""
        self.chats.status(sent.wamid, status, errors)
        told: Value = {"id": sent.wamid, "status": status, "timestamp": seconds(self.clock())}
        callback = sent.request.get("biz_opaque_callback_data")
        told |= {"biz_opaque_callback_data": callback} if callback is not None else {}
        told |= {"pricing": _pricing(sent.category)} if status in {"sent", "delivered"} else {}
        told |= {"errors": errors} if errors else {}
        await self.deliver(status_value(self.business, self.faults.as_seen(person), told))

    async def review(self, template: Template) -> None:
        """Approve the template after a while, as Meta mostly does within minutes."""
        await asyncio.sleep(self.pauses[-1])
        template.status = "APPROVED"
        news = {
            "event": template.status,
            "message_template_id": int(template.id),
            "message_template_name": template.name,
            "message_template_language": template.language,
            "reason": "NONE",
        }
        await self.deliver(news, field_name="message_template_status_update")


def _pricing(category: str) -> dict[str, Any]:
    return {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}

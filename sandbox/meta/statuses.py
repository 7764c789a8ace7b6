"""Statuses that Meta reports in webhooks: of messages to people, and of templates under review."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.meta.chats import Chats
from sandbox.meta.errors import GraphRefusal
from sandbox.meta.faults import MetaFaults
from sandbox.meta.parties import Business, Person, SentMessage
from sandbox.meta.templates import Template
from sandbox.meta.webhooks import Value, status_value, unix_seconds

FREE_SERVICE_MESSAGES = 1000


@dataclass(frozen=True, slots=True)
class StatusReporter:
    """Reports statuses through `deliver`; `pauses` are the seconds before `sent`, `delivered` and `read`."""

    business: Business
    chats: Chats
    faults: MetaFaults
    clock: Callable[[], datetime]
    deliver: Callable[..., Awaitable[bool]]
    pauses: Sequence[float]
    # Charges by message, because its statuses tell the same one.
    charges: dict[str, dict[str, Any]] = field(default_factory=dict)
    free_this_month: Counter[str] = field(default_factory=Counter)

    async def report_progress(self, sent: SentMessage, person: Person, failure: GraphRefusal | None) -> None:
        """Report step by step; a closed chat ends at `delivered`, and Meta reports only `sent` for a reaction."""
        steps = ("sent",) if sent.type == "reaction" else ("sent", "delivered", "read")
        for status, pause in zip(steps, self.pauses, strict=False):
            slow = self.faults.active("slow")
            await asyncio.sleep(pause + (slow.seconds if slow else 0))
            if failure is not None:
                await self.report(sent, person, "failed", [failure.in_webhook()])
                return
            if status == "read" and not self.chats.is_open(person):
                return
            await self.report(sent, person, status)

    async def report(
        self, sent: SentMessage, person: Person, status: str, errors: list[dict[str, Any]] | None = None
    ) -> None:
        """Report one status, in the chat and in a webhook."""
        self.chats.status(sent.wamid, status, errors)
        told: Value = {"id": sent.wamid, "status": status, "timestamp": unix_seconds(self.clock())}
        callback = sent.request.get("biz_opaque_callback_data")
        told |= {"biz_opaque_callback_data": callback} if callback is not None else {}
        priced = status in {"sent", "delivered"} and sent.type != "reaction"
        told |= {"pricing": self._charge(sent)} if priced else {}
        told |= {"errors": errors} if errors else {}
        await self.deliver(status_value(self.business, self.faults.as_visible(person), told))

    def _charge(self, sent: SentMessage) -> dict[str, Any]:
        """The charge of a message: a thousand service messages a month are free."""
        if sent.wamid not in self.charges:
            price, month = _pricing(sent.category), f"{self.clock():%Y-%m}"
            if price["category"] == "service" and self.free_this_month[month] < FREE_SERVICE_MESSAGES:
                self.free_this_month[month] += 1
                price = price | {"billable": False, "type": "free_customer_service"}
            self.charges[sent.wamid] = price
        return self.charges[sent.wamid]

    async def review(self, template: Template) -> None:
        """Approve the template after a pause; Meta mostly approves within minutes."""
        await asyncio.sleep(self.pauses[-1])
        template.status = "APPROVED"
        update = {
            "event": template.status,
            "message_template_id": int(template.id),
            "message_template_name": template.name,
            "message_template_language": template.language,
            "reason": "NONE",
        }
        await self.deliver(update, field_name="message_template_status_update")


def _pricing(category: str) -> dict[str, Any]:
    return {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}

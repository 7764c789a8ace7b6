"""Everything that is known of a contact, for the page beside the conversation; and its export and erasure."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis

from bot import privacy
from bot.conversations.contacts import Contact, Contacts
from bot.conversations.identity import identities_of
from bot.history.reader import HistoryReader
from bot.integrations.stripe import customers as stripe_customers
from bot.integrations.stripe import subscription_state
from bot.integrations.stripe.errors import StripeFailed
from bot.integrations.stripe.plans import Plans
from bot.privacy import Erased, PersonalData
from bot.storage.files import Files

_log = structlog.get_logger()
_MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class ContactDetails:
    redis: Redis
    contacts: Contacts
    history: HistoryReader
    files: Files
    personal: PersonalData
    plans: Plans | None

    async def of(self, conversation: str) -> dict[str, Any]:
        contact = await self.contacts.get(conversation)
        files = await self.files.of(conversation, contact.earlier)
        return _facts(contact) | {
            "identities": sorted(await identities_of(self.redis, conversation)),
            "plan": await self._plan(conversation),
            "files": [
                {
                    "name": file.name,
                    "mime": file.mime,
                    "size": file.size,
                    "by": file.by,
                    "at": file.at.isoformat(),
                    "url": f"/console/api/conversations/{conversation}/files/{file.id}",
                }
                for file in files[:_MOST_FILES]
            ],
            "notes": await self.history.notes(conversation),
        }

    async def export(self, conversation: str) -> AsyncGenerator[str, None] | None:
        """Everything stored about the person, as JSON in pieces; None for nobody."""
        found = await privacy.find(self.redis, conversation)
        return self.personal.export_text(found) if found else None

    async def erase(self, conversation: str) -> Erased | None:
        """Erase everything stored about the person. Raises ConversationBusy, FilesLost, StorageFailed."""
        found = await privacy.find(self.redis, conversation)
        return await self.personal.erase(found) if found else None

    async def _plan(self, conversation: str) -> dict[str, str | None] | None:
        """Stripe's status of the last subscription that was seen, and its plan's name where Stripe tells it."""
        customers, _ = await stripe_customers.references(self.redis, conversation)
        for customer in sorted(customers):
            state = await subscription_state.SubscriptionStates(self.redis).last(customer)
            if state is not None and state.status != "none":
                return {"name": await self._name_of(state.price), "status": state.status}
        return None

    async def _name_of(self, price: str) -> str | None:
        if self.plans is None:
            return None
        try:
            plans = await self.plans.all()
        except StripeFailed as error:
            _log.warning("plan_name_unknown", error=str(error))
            return None
        return next((plan.name for plan in plans if any(offered.id == price for offered in plan.prices)), None)


def _facts(contact: Contact) -> dict[str, Any]:
    return {
        "name": contact.name,
        "phone": contact.phone,
        "bsuid": contact.bsuid,
        "language": contact.language,
        "role": contact.role,
        "email": contact.email,
        "opted_out": contact.marketing_opt_out,
        "unreachable": contact.unreachable,
        "calls_allowed": contact.calls_allowed,
        "ad": contact.ad,
        "phone_contested": contact.phone_contested,
    }

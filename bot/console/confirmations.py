"""Confirmation cards that wait for a tap, over all conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.conversations.confirmations import VALID_SECONDS, waiting_cards
from bot.conversations.contacts import Contacts
from bot.conversations.events import person
from bot.integrations.stripe.formatting import decimal


@dataclass(frozen=True, slots=True)
class WaitingConfirmations:
    redis: Redis
    contacts: Contacts

    async def listed(self) -> list[dict[str, Any]]:
        """The cards, the newest first, with the amount that a tap would charge."""
        found = []
        for card in await waiting_cards(self.redis):
            action = card.action
            currency = str(action.get("currency") or "").upper()
            amount = action.get("amount")
            until = datetime.fromtimestamp(card.until, UTC)
            shown: dict[str, Any] = {
                "conversation": card.conversation,
                "contact": person(await self.contacts.get(card.conversation)),
                "kind": card.kind,
                "action": str(action.get("kind") or card.kind),
                "at": datetime.fromtimestamp(card.until - VALID_SECONDS, UTC).isoformat(),
                "until": until.isoformat(),
            }
            if currency and isinstance(amount, int):
                shown |= {"currency": currency, "amount": float(decimal(amount, currency))}
            found.append(shown)
        return found

"""Product cards that wait for staff to check them, with the piece of the photo that each field was read from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.conversations.confirmations import WaitingCard, waiting_cards
from bot.conversations.contacts import Contacts
from bot.conversations.events import person
from bot.products.card_message import KIND
from bot.products.draft import Draft, shown_of
from bot.products.draft_store import Drafts
from bot.products.photos import piece_of


@dataclass(frozen=True, slots=True)
class WaitingProductCards:
    redis: Redis
    contacts: Contacts
    drafts: Drafts

    async def listed(self) -> list[dict[str, Any]]:
        """The newest card of each open draft; a field has `picture` while its photo is kept, which is an hour."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for card in await waiting_cards(self.redis):
            place = card.conversation, str(card.action.get("draft"))
            if card.kind != KIND or place in found:
                continue
            draft = await self.drafts.get(*place)
            if draft is not None and draft.state == "open" and draft.revision == card.action.get("revision"):
                found[place] = await self._shown(card, draft)
        return list(found.values())

    async def picture(self, conversation: str, draft_id: str, field: str) -> bytes | None:
        """The piece of a photo that shows a field, as JPEG; None once the photo is gone."""
        draft = await self.drafts.get(conversation, draft_id)
        shown = shown_of(draft).get(field) if draft is not None else None
        if draft is None or shown is None or shown.box is None or shown.photo is None:
            return None
        texts = await self.drafts.photo_texts(conversation, draft)
        if len(texts) != len(draft.photos) or shown.photo >= len(texts):
            return None
        return await asyncio.to_thread(piece_of, texts[shown.photo], shown.box)

    async def _shown(self, card: WaitingCard, draft: Draft) -> dict[str, Any]:
        kept = len(await self.drafts.photo_texts(card.conversation, draft)) == len(draft.photos)
        place = f"/console/api/product-cards/{card.conversation}/{draft.id}"
        fields = [
            {
                "name": name,
                "value": field.value,
                "confidence": field.confidence,
                "sure": field.sure,
                "picture": f"{place}/{name}" if kept and field.box is not None else None,
            }
            for name, field in shown_of(draft).items()
        ]
        return {
            "conversation": card.conversation,
            "contact": person(await self.contacts.get(card.conversation)),
            "draft": draft.id,
            "until": datetime.fromtimestamp(card.until, UTC).isoformat(),
            "fields": fields,
        }

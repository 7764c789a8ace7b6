"""The tap that puts a card into the catalogue: what was shown, with its photos, once, and told to subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.conversations.confirmations import ConfirmedAction, TapResult
from bot.conversations.events import Event, event_id, person
from bot.products import photos
from bot.products.card_message import CardMessages
from bot.products.card_text import product_line
from bot.products.catalogue import Catalogue, CatalogueEntry, Product, ProductPhoto, after, product_id
from bot.products.draft import Draft, shown_of, values_of
from bot.products.draft_store import DraftChange, Drafts
from bot.products.texts import words
from bot.storage.storage import Storage, StorageFailed
from pipelines.product import FIELDS

_log = structlog.get_logger()
# The person must have an answer in time.
_STORING_SECONDS = 20.0

Tell = Callable[[Event, dict[str, Any], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ProductConfirmer:
    drafts: Drafts
    showing: CardMessages
    catalogue: Catalogue
    storage: Storage
    tell: Tell

    async def confirm(self, confirmed: ConfirmedAction) -> TapResult:
        """Save the draft as the tapped card showed it; a card that no longer holds is shown as it is now."""
        draft = await self._mine(confirmed)
        if draft is None:
            return TapResult(text=words("gone", confirmed.language))
        if not confirmed.begun and (other := await self._other(confirmed, draft)):
            return other
        place = product_id(values_of(draft), draft.id)
        if not await self.catalogue.saved_by(place, confirmed.key):
            try:
                async with asyncio.timeout(_STORING_SECONDS):
                    kept = await self._keep_photos(confirmed, draft)
            except (StorageFailed, TimeoutError) as error:
                _log.error(
                    "product_photos_not_stored",
                    why=str(error) or "too slow",
                    fix="see the storage, and `recado doctor`",
                )
                return TapResult(text=words("not_stored", confirmed.language), again=True)
            await confirmed.begin()
            if not await self._save(confirmed, draft, place, kept):
                return await self._shown(confirmed, draft, "stored_meanwhile")
        entry = next(one for one in await self.catalogue.history(place) if one.confirmation == confirmed.key)
        await self._tell(confirmed, place, entry)
        await self._close(confirmed, draft.changed(state="saved"))
        _log.info("product_captured", photos=len(entry.photos), known_before=bool(confirmed.action["version"]))
        return TapResult(text=words("saved", confirmed.language, product=product_line(entry.fields)))

    async def leave(self, confirmed: ConfirmedAction) -> TapResult:
        """Drop the draft, if it is the card that is shown now."""
        draft = await self._mine(confirmed)
        if draft is None or draft.state != "open":
            return TapResult(text=words("gone", confirmed.language))
        if draft.revision != confirmed.action["revision"]:
            return await self._shown(confirmed, draft, "changed_since")
        await self._close(confirmed, draft.changed(state="left"))
        return TapResult(text=words("kept_old" if confirmed.action["version"] else "left", confirmed.language))

    async def _mine(self, confirmed: ConfirmedAction) -> Draft | None:
        """The draft, for staff: somebody may have been staff when the card was shown, and not be any more."""
        if confirmed.contact.role != "staff":
            return None
        return await self.drafts.get(confirmed.conversation, confirmed.action["draft"])

    async def _other(self, confirmed: ConfirmedAction, draft: Draft) -> TapResult | None:
        """What to say where the card doesn't hold any more."""
        if draft.state != "open":
            return TapResult(text=words("gone", confirmed.language))
        if draft.revision != confirmed.action["revision"]:
            return await self._shown(confirmed, draft, "changed_since")
        stored = await self.showing.stored(draft)
        if (stored.version if stored else 0) != confirmed.action["version"]:
            return await self._shown(confirmed, draft, "stored_meanwhile")
        return None

    async def _shown(self, confirmed: ConfirmedAction, draft: Draft, why: str) -> TapResult:
        card = await self.showing.card(confirmed.conversation, draft, confirmed.language)
        return TapResult(text=words(why, confirmed.language), parts=(card,))

    async def _keep_photos(self, confirmed: ConfirmedAction, draft: Draft) -> tuple[ProductPhoto, ...]:
        photo_texts = await self.drafts.photo_texts(confirmed.conversation, draft)
        return await photos.keep(self.storage, draft.id, photo_texts, shown_of(draft))

    async def _save(self, confirmed: ConfirmedAction, draft: Draft, place: str, kept: tuple[ProductPhoto, ...]) -> bool:
        at = datetime.now(UTC)
        before = await self.catalogue.get(place)
        now = Product(
            id=place,
            version=1,
            fields=values_of(draft),
            details=dict(draft.read.details),
            photos=kept,
            captured_at=at,
            updated_at=at,
        )
        product, was = after(before, now, [name for name, one in draft.said.items() if one.value is None])
        if product.version != confirmed.action["version"] + 1:
            return False
        entry = CatalogueEntry(
            confirmation=confirmed.key,
            by=confirmed.conversation,
            at=at,
            fields=product.fields,
            was=was,
            photos=tuple(one.key for one in kept),
        )
        return await self.catalogue.save(product, entry)

    async def _tell(self, confirmed: ConfirmedAction, place: str, entry: CatalogueEntry) -> None:
        data = {
            "conversation": confirmed.conversation,
            "contact": person(confirmed.contact),
            "product": place,
            **{name: entry.fields.get(name) for name in FIELDS},
            "previous": entry.was,
            "photos": list(entry.photos),
            "at": entry.at.isoformat(),
        }
        await self.tell("product.captured", data, event_id("product.captured", confirmed.key))

    async def _close(self, confirmed: ConfirmedAction, draft: Draft) -> None:
        session = await self.drafts.session(confirmed.conversation)
        if session.draft == draft.id:
            session = session.model_copy(update={"draft": None})
        await self.drafts.write(confirmed.conversation, DraftChange(drafts={draft.id: draft}), session)

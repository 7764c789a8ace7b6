"""A tap on a card stores the product as shown in the catalogue, once, and publishes `product.captured`."""

from __future__ import annotations

import asyncio
import time
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
from bot.products.draft import Draft, missing_of, shown_of, values_of
from bot.products.draft_store import SESSION_SECONDS, DraftChange, Drafts
from bot.products.texts import label, phrase
from bot.storage.storage import Storage, StorageFailed
from pipelines.product import FIELDS

_log = structlog.get_logger()
# Because the person waits for an answer, a slow storage ends the attempt.
_STORING_SECONDS = 20.0

PublishEvent = Callable[[Event, dict[str, Any], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ProductConfirmer:
    drafts: Drafts
    card_messages: CardMessages
    catalogue: Catalogue
    storage: Storage
    publish: PublishEvent

    async def confirm(self, confirmed: ConfirmedAction) -> TapResult:
        """Save the draft as the tapped card showed it; an outdated card is replaced by the current one."""
        draft = await self._draft_for_staff(confirmed)
        if draft is None:
            return TapResult(text=phrase("gone", confirmed.language))
        if not confirmed.begun and (other := await self._outdated(confirmed, draft)):
            return other
        if not confirmed.begun and (asked := await self._asked_for_missing(confirmed, draft)):
            return asked
        catalogue_id = product_id(values_of(draft), draft.id)
        if not await self.catalogue.saved_by(catalogue_id, confirmed.key):
            try:
                async with asyncio.timeout(_STORING_SECONDS):
                    photos_kept = await self._keep_photos(confirmed, draft)
            except (StorageFailed, TimeoutError) as error:
                _log.error(
                    "product_photos_not_stored",
                    why=str(error) or "too slow",
                    fix="see the storage, and `recado doctor`",
                )
                return TapResult(text=phrase("not_stored", confirmed.language), again=True)
            await confirmed.begin()
            if not await self._save(confirmed, draft, catalogue_id, photos_kept):
                return await self._shown_again(confirmed, draft, "stored_meanwhile")
        entry = next(
            entry for entry in await self.catalogue.history(catalogue_id) if entry.confirmation == confirmed.key
        )
        await self._publish(confirmed, catalogue_id, entry)
        await self._close(confirmed, draft.changed(state="saved"))
        _log.info("product_captured", photos=len(entry.photos), known_before=bool(confirmed.action["version"]))
        return TapResult(text=phrase("saved", confirmed.language, product=product_line(entry.fields)))

    async def leave(self, confirmed: ConfirmedAction) -> TapResult:
        """Discard the draft if the tapped card is the current one."""
        draft = await self._draft_for_staff(confirmed)
        if draft is None or draft.state != "open":
            return TapResult(text=phrase("gone", confirmed.language))
        if draft.revision != confirmed.action["revision"]:
            return await self._shown_again(confirmed, draft, "changed_since")
        await self._close(confirmed, draft.changed(state="left"))
        return TapResult(text=phrase("kept_old" if confirmed.action["version"] else "left", confirmed.language))

    async def _draft_for_staff(self, confirmed: ConfirmedAction) -> Draft | None:
        """The draft, for staff alone: a person may have left the staff since the card was shown."""
        if confirmed.contact.role != "staff":
            return None
        return await self.drafts.get(confirmed.conversation, confirmed.action["draft"])

    async def _outdated(self, confirmed: ConfirmedAction, draft: Draft) -> TapResult | None:
        """The reply to a tap on an outdated card; None when the card is current."""
        if draft.state != "open":
            return TapResult(text=phrase("gone", confirmed.language))
        if draft.revision != confirmed.action["revision"]:
            return await self._shown_again(confirmed, draft, "changed_since")
        stored = await self.card_messages.stored(draft)
        if (stored.version if stored else 0) != confirmed.action["version"]:
            return await self._shown_again(confirmed, draft, "stored_meanwhile")
        return None

    async def _asked_for_missing(self, confirmed: ConfirmedAction, draft: Draft) -> TapResult | None:
        """A question for the name or the price that the card lacks; None when it has both, or was asked before."""
        stored = await self.card_messages.stored(draft)
        missing = missing_of(draft, stored.fields if stored else {})
        if not missing or confirmed.action.get("incomplete"):
            return None
        draft = draft.changed(awaiting=missing[0], until=time.time() + SESSION_SECONDS)
        await self.drafts.write(confirmed.conversation, DraftChange(drafts={draft.id: draft}))
        card = await self.card_messages.card(confirmed.conversation, draft, confirmed.language, saving=True)
        named = ", ".join(label(name, confirmed.language) for name in missing)
        return TapResult(text=phrase("incomplete", confirmed.language, fields=named), parts=(card,))

    async def _shown_again(self, confirmed: ConfirmedAction, draft: Draft, why: str) -> TapResult:
        card = await self.card_messages.card(confirmed.conversation, draft, confirmed.language)
        return TapResult(text=phrase(why, confirmed.language), parts=(card,))

    async def _keep_photos(self, confirmed: ConfirmedAction, draft: Draft) -> tuple[ProductPhoto, ...]:
        photo_texts = await self.drafts.photo_texts(confirmed.conversation, draft)
        return await photos.keep(self.storage, draft.id, photo_texts, shown_of(draft))

    async def _save(
        self, confirmed: ConfirmedAction, draft: Draft, catalogue_id: str, photos_kept: tuple[ProductPhoto, ...]
    ) -> bool:
        at = datetime.now(UTC)
        before = await self.catalogue.get(catalogue_id)
        now = Product(
            id=catalogue_id,
            version=1,
            fields=values_of(draft),
            details=dict(draft.read.details),
            photos=photos_kept,
            captured_at=at,
            updated_at=at,
        )
        product, was = after(before, now, [name for name, field in draft.said.items() if field.value is None])
        if product.version != confirmed.action["version"] + 1:
            return False
        entry = CatalogueEntry(
            confirmation=confirmed.key,
            by=confirmed.conversation,
            at=at,
            fields=product.fields,
            was=was,
            photos=tuple(photo.key for photo in photos_kept),
        )
        return await self.catalogue.save(product, entry)

    async def _publish(self, confirmed: ConfirmedAction, catalogue_id: str, entry: CatalogueEntry) -> None:
        data = {
            "conversation": confirmed.conversation,
            "contact": person(confirmed.contact),
            "product": catalogue_id,
            **{name: entry.fields.get(name) for name in FIELDS},
            "previous": entry.was,
            "photos": list(entry.photos),
            "at": entry.at.isoformat(),
        }
        await self.publish("product.captured", data, event_id("product.captured", confirmed.key))

    async def _close(self, confirmed: ConfirmedAction, draft: Draft) -> None:
        session = await self.drafts.session(confirmed.conversation)
        if session.draft == draft.id:
            session = session.model_copy(update={"draft": None})
        await self.drafts.write(confirmed.conversation, DraftChange(drafts={draft.id: draft}), session)

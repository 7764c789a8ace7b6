"""The photo session, put together."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.conversations.confirmations import Cards
from bot.products.capture import Captures
from bot.products.capture_turn import Means
from bot.products.card_message import Showing
from bot.products.card_reader import Reader
from bot.products.catalogue import Catalogue
from bot.products.confirm import Confirming, Tell
from bot.products.draft_store import Drafts
from bot.storage.storage import Storage


def captures_of(redis: Redis, storage: Storage, tell: Tell, reader: Reader) -> tuple[Captures, Confirming]:
    """What takes the photos of staff, and what a tap on a card does."""
    drafts, catalogue = Drafts(redis), Catalogue(redis)
    showing = Showing(catalogue, Cards(redis))
    return Captures(Means(drafts, showing, reader)), Confirming(drafts, showing, catalogue, storage, tell)

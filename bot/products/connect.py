"""The photo session, put together."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.conversations.confirmations import Cards
from bot.products.capture import Captures
from bot.products.catalogue import Catalogue
from bot.products.confirming import Confirming, Tell
from bot.products.drafts import Drafts
from bot.products.reader import Reader
from bot.products.showing import Showing
from bot.products.sitting import Means
from bot.storage.door import Storage


def captures_of(redis: Redis, storage: Storage, tell: Tell, reader: Reader) -> tuple[Captures, Confirming]:
    """What takes the photos of staff, and what a tap on a card does."""
    drafts, catalogue = Drafts(redis), Catalogue(redis)
    showing = Showing(catalogue, Cards(redis))
    return Captures(Means(drafts, showing, reader)), Confirming(drafts, showing, catalogue, storage, tell)

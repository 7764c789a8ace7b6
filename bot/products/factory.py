"""The photo session, put together."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.conversations.confirmations import ConfirmationCards
from bot.products.capture import ProductCapture
from bot.products.capture_turn import CaptureServices
from bot.products.card_message import CardMessages
from bot.products.card_reader import PictureReader
from bot.products.catalogue import Catalogue
from bot.products.confirm import ProductConfirmer, Tell
from bot.products.draft_store import Drafts
from bot.storage.storage import Storage


def captures_of(
    redis: Redis, storage: Storage, tell: Tell, reader: PictureReader
) -> tuple[ProductCapture, ProductConfirmer]:
    """What takes the photos of staff, and what a tap on a card does."""
    drafts, catalogue = Drafts(redis), Catalogue(redis)
    showing = CardMessages(catalogue, ConfirmationCards(redis))
    return ProductCapture(CaptureServices(drafts, showing, reader)), ProductConfirmer(
        drafts, showing, catalogue, storage, tell
    )

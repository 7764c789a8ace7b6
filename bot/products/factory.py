"""Builds the photo session and its confirmation from their parts."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.conversations.confirmations import ConfirmationCards
from bot.products.capture import ProductCapture
from bot.products.capture_turn import CaptureServices
from bot.products.card_message import CardMessages
from bot.products.card_reader import ProductReader
from bot.products.catalogue import Catalogue
from bot.products.confirm import ProductConfirmer, PublishEvent
from bot.products.draft_store import Drafts
from bot.storage.storage import Storage


def captures_of(
    redis: Redis, storage: Storage, publish: PublishEvent, reader: ProductReader
) -> tuple[ProductCapture, ProductConfirmer]:
    """Build the capture of photos and the confirmation of cards on the same drafts."""
    drafts, catalogue = Drafts(redis), Catalogue(redis)
    card_messages = CardMessages(catalogue, ConfirmationCards(redis))
    return ProductCapture(CaptureServices(drafts, card_messages, reader)), ProductConfirmer(
        drafts, card_messages, catalogue, storage, publish
    )

"""A member of staff at a counter: turns of photos and words without a server."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bot.conversations.confirmations import ConfirmedAction, TapResult
from bot.conversations.contacts import Contact
from bot.messages.inbound import Content, Inbound, Photo, Tap, Text
from bot.messages.outbound import Buttons, Choice, Menu, Say
from bot.products.capture_message import CaptureMessage
from bot.products.card_reader import PhotoTurn
from bot.products.draft_store import CapturedTurn
from bot.products.factory import captures_of
from bot.storage.local import LocalStorage
from bot.turns.trace import count
from pipelines.image import PhotoText, read_photo
from pipelines.product import ProductCard, card_of_photo_texts
from tests.products.shelf import Shelf

MINE = f"c_{'0' * 20}"
STAFF = Contact(role="staff")


@dataclass
class ByRules:
    """Makes cards without a model."""

    shelf: Shelf
    shop_currency: str = "MXN"

    async def card_of(
        self, conversation: str, photo_texts: Sequence[PhotoText], turn: PhotoTurn, *, name_stated: bool
    ) -> ProductCard:
        return await card_of_photo_texts(photo_texts, read_text=self.shelf.read, shop_currency=self.shop_currency)


class Counter:
    """A member of staff at work; `published` are the events for subscribers."""

    def __init__(self, redis: Redis, folder: Path) -> None:
        self.published: list[tuple[str, dict[str, Any], str]] = []
        self.shelf = Shelf()
        self.captures, self.confirming = captures_of(redis, LocalStorage(folder), self._publish, ByRules(self.shelf))
        self._turns = 0

    async def sees(self, *contents: tuple[Content, str, PhotoText | None], turn: str | None = None) -> CapturedTurn:
        self._turns += 1
        name = turn or f"t{self._turns}"
        now = datetime.now(UTC)
        incoming = [
            CaptureMessage(Inbound(id=f"{name}-{at}", sent_at=now, received_at=now, content=content), words, photo_text)
            for at, (content, words, photo_text) in enumerate(contents)
        ]
        return await self.captures.capture(MINE, turn_of(name), incoming)

    async def photo(self, photo: bytes, caption: str = "") -> tuple[Content, str, PhotoText | None]:
        return Photo(media_id="m", caption=caption), caption, await read_photo(photo, read_text=self.shelf.read)

    async def taps(self, card: CapturedTurn, title: str) -> CapturedTurn:
        """The person taps what has this title."""
        choice = next(choice for choice in choices(card) if choice.title == title)
        return await self.sees((Tap(id=choice.id, title=title), "", None))

    async def says(self, text: str) -> CapturedTurn:
        return await self.sees((Text(body=text), text, None))

    async def confirms(self, card: CapturedTurn, contact: Contact = STAFF, key: str = "recado-1") -> str:
        """Reply to a tap on the card."""
        return (await self.saves(contact, key)).text

    async def saves(self, contact: Contact = STAFF, key: str = "recado-1", *, incomplete: bool = False) -> TapResult:
        """Result of a tap on "save"; `incomplete` if it is the tap that saves a card as it is."""
        draft = await self.captures.open_draft(MINE)
        assert draft is not None
        stored = await self.captures.services.card_messages.stored(draft)
        action = {"draft": draft.id, "revision": draft.revision, "version": stored.version if stored else 0}
        action |= {"incomplete": True} if incomplete else {}
        tapped = ConfirmedAction(MINE, contact, "es", action, key, begun=False, begin=self._begin)
        return await self.confirming.confirm(tapped)

    async def _publish(self, event: str, data: dict[str, Any], name: str) -> None:
        self.published.append((event, data, name))

    async def _begin(self) -> None:
        pass


def turn_of(name: str, contact: Contact = STAFF) -> PhotoTurn:
    return PhotoTurn(name, contact, "es", until=math.inf, record_attempt=count)


def body(captured: CapturedTurn) -> str:
    (part,) = captured.parts
    assert isinstance(part, Buttons | Menu | Say)
    return part.body


def choices(captured: CapturedTurn) -> tuple[Choice, ...]:
    (part,) = captured.parts
    assert isinstance(part, Buttons | Menu)
    return part.choices


def titles(captured: CapturedTurn) -> list[str]:
    return [choice.title for choice in choices(captured)]

"""The photo sessions of staff: what a turn's messages make of the product that is being captured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.conversations.contacts import Contact
from bot.messages.inbound import Text, Voice
from bot.messages.language import Language
from bot.messages.outbound import Part
from bot.products.capture_turn import CaptureMessage, CaptureServices, CaptureTurn, begins_another
from bot.products.card_reader import PhotoTurn
from bot.products.card_text import text_of
from bot.products.corrections import NoValue, command_of, occurs, value_for
from bot.products.draft import Draft, StatedValue
from bot.products.draft_store import CapturedTurn, DraftChange, Session


@dataclass(frozen=True, slots=True)
class ProductCapture:
    """The conversation's lease has to be held."""

    means: CaptureServices

    async def take(self, conversation: str, turn: PhotoTurn, incoming: Sequence[CaptureMessage]) -> CapturedTurn:
        """What the session makes of a turn's messages. Again for the same turn, it is the same answer."""
        if turn.contact.role != "staff":
            return CapturedTurn()
        session = await self.means.drafts.session(conversation)
        if session.turn == turn.name:
            return session.captured
        capture = await self._begin_turn(conversation, session, incoming, turn)
        for group in _groups(incoming):
            await capture.take(group)
        if not capture.handled:
            return CapturedTurn()
        captured = await capture.captured()
        until = time.time() + self.means.seconds
        draft = capture.draft.id if capture.draft else None
        after = Session(draft=draft, turn=turn.name, captured=captured, until=until)
        await self.means.drafts.write(conversation, capture.changes, after)
        return captured

    async def open_draft(self, conversation: str) -> Draft | None:
        """The draft that is talked about, unless it is over."""
        session = await self.means.drafts.session(conversation)
        draft = await self.means.drafts.get(conversation, session.draft) if session.draft else None
        return draft if draft and draft.state == "open" and draft.until > time.time() else None

    async def card(self, conversation: str, draft: Draft, language: Language) -> Part:
        """The message that shows a draft."""
        return await self.means.showing.card(conversation, draft, language)

    async def correcting(self, conversation: str, contact: Contact, said: str, language: Language) -> Correcting | None:
        """How a model may pass on corrections in this turn; None where there is nothing to correct."""
        draft = await self.open_draft(conversation) if contact.role == "staff" else None
        return Correcting(self, conversation, said, text_of(draft, None, language)) if draft else None

    async def _begin_turn(
        self, conversation: str, session: Session, incoming: Sequence[CaptureMessage], turn: PhotoTurn
    ) -> CaptureTurn:
        capture = CaptureTurn(self.means, conversation, turn, recent=session.until > time.time())
        draft = await self.means.drafts.get(conversation, session.draft) if session.draft else None
        if draft is not None and draft.state == "open":
            if draft.until > min(one.message.received_at.timestamp() for one in incoming):
                capture.draft = draft
            else:
                capture.expired = draft
        return capture


@dataclass(frozen=True, slots=True)
class Correcting:
    """Corrections that a model understood, for the turn in which the person `said` them; `shown` is the card so far."""

    captures: ProductCapture
    conversation: str
    said: str
    shown: str
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def correct(self, name: str, value: str) -> dict[str, str]:
        """Write down a field's value and return what it is now; NoValue where the person didn't say it."""
        values = value_for(name, value)
        if not occurs(name, values[name], self.said):
            raise NoValue(f"the person did not say {value!r} in this message: never guess a value, ask for it")
        async with self.lock:
            draft = await self.captures.open_draft(self.conversation)
            if draft is None:
                raise NoValue("no card is open any more")
            told = draft.told({one: StatedValue(value=known) for one, known in values.items()})
            told = told.model_copy(update={"until": time.time() + self.captures.means.seconds})
            await self.captures.means.drafts.write(self.conversation, DraftChange(drafts={told.id: told}))
        return values


def _groups(incoming: Sequence[CaptureMessage]) -> list[list[CaptureMessage]]:
    """The messages up to each command that begins another product, and those after it; a caption is of its photo."""
    groups: list[list[CaptureMessage]] = [[]]
    for one in incoming:
        if begins_another(one):
            groups.append([])
        groups[-1].append(one)
        if isinstance(one.message.content, Text | Voice) and command_of(one.words) in ("next", "cancel"):
            groups.append([])
    return [group for group in groups if group]

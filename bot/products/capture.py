"""Photo sessions of staff: a turn's messages change the draft of a product, and the card shows it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.conversations.contacts import Contact
from bot.messages.inbound import Text, Voice
from bot.messages.language import Language
from bot.messages.outbound import Part
from bot.products.capture_message import CaptureMessage
from bot.products.capture_turn import CaptureServices, CaptureTurn, begins_another
from bot.products.card_reader import PhotoTurn
from bot.products.card_text import text_of
from bot.products.corrections import NoValue, command_of, occurs, value_for
from bot.products.draft import Draft, StatedValue
from bot.products.draft_store import CapturedTurn, DraftChange, Session


@dataclass(frozen=True, slots=True)
class ProductCapture:
    """Photo sessions, for a caller that holds the conversation's lease."""

    services: CaptureServices

    async def capture(self, conversation: str, turn: PhotoTurn, incoming: Sequence[CaptureMessage]) -> CapturedTurn:
        """Apply a turn's messages to the session; the same turn again gets the same answer."""
        if turn.contact.role != "staff":
            return CapturedTurn()
        session = await self.services.drafts.session(conversation)
        if session.turn == turn.name:
            return session.captured
        capture_turn = await self._begin_turn(conversation, session, incoming, turn)
        for group in _groups(incoming):
            await capture_turn.apply(group)
        if not capture_turn.outcome.handled:
            return CapturedTurn()
        captured = await capture_turn.captured()
        until = time.time() + self.services.seconds
        draft = capture_turn.draft.id if capture_turn.draft else None
        after = Session(draft=draft, turn=turn.name, captured=captured, until=until)
        await self.services.drafts.write(conversation, capture_turn.outcome.changes, after)
        return captured

    async def open_draft(self, conversation: str) -> Draft | None:
        """The session's draft, unless it was closed or has expired."""
        session = await self.services.drafts.session(conversation)
        draft = await self.services.drafts.get(conversation, session.draft) if session.draft else None
        return draft if draft and draft.state == "open" and draft.until > time.time() else None

    async def card(self, conversation: str, draft: Draft, language: Language) -> Part:
        return await self.services.card_messages.card(conversation, draft, language)

    async def corrections_for(
        self, conversation: str, contact: Contact, spoken: str, language: Language
    ) -> CardEdits | None:
        """Corrections that a model may pass on in this turn; None without an open draft of staff."""
        draft = await self.open_draft(conversation) if contact.role == "staff" else None
        if draft is None or draft.doubtful:
            return None
        return CardEdits(self, conversation, spoken, text_of(draft, None, language))

    async def _begin_turn(
        self, conversation: str, session: Session, incoming: Sequence[CaptureMessage], turn: PhotoTurn
    ) -> CaptureTurn:
        capture = CaptureTurn(self.services, conversation, turn, recent=session.until > time.time())
        draft = await self.services.drafts.get(conversation, session.draft) if session.draft else None
        if draft is not None and draft.state == "open":
            if draft.until > min(received.message.received_at.timestamp() for received in incoming):
                capture.draft = draft
            else:
                capture.expired = draft
        return capture


@dataclass(frozen=True, slots=True)
class CardEdits:
    """Corrections that a model understood in the person's `spoken` words; `card_text` is the card so far."""

    captures: ProductCapture
    conversation: str
    spoken: str
    card_text: str
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def correct(self, name: str, value: str) -> dict[str, str]:
        """Store a field's value and return it as the card has it; raises NoValue if the person didn't say it."""
        values = value_for(name, value)
        if not occurs(name, values[name], self.spoken):
            raise NoValue(f"the person did not say {value!r} in this message: never guess a value, ask for it")
        async with self.lock:
            draft = await self.captures.open_draft(self.conversation)
            if draft is None:
                raise NoValue("no card is open any more")
            corrected = draft.with_stated({field: StatedValue(value=known) for field, known in values.items()})
            corrected = corrected.model_copy(update={"until": time.time() + self.captures.services.seconds})
            await self.captures.services.drafts.write(self.conversation, DraftChange(drafts={corrected.id: corrected}))
        return values


def _groups(incoming: Sequence[CaptureMessage]) -> list[list[CaptureMessage]]:
    """Divide messages at each command that begins another product; a caption belongs to its photo."""
    groups: list[list[CaptureMessage]] = [[]]
    for received in incoming:
        if begins_another(received):
            groups.append([])
        groups[-1].append(received)
        if isinstance(received.message.content, Text | Voice) and command_of(received.words) in ("next", "cancel"):
            groups.append([])
    return [group for group in groups if group]

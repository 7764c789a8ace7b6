"""One turn of a photo session: which messages are its business, and what they make of the draft.

Photos that come while a draft is open are of its product, unless they show another code; "otra" starts the next. What
a caption or a text asks, and photos that show nothing of a product, are the assistant's business.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.messages.inbound import Document, Inbound, Photo, Tap
from bot.messages.outbound import Say
from bot.products.card_message import CardMessages
from bot.products.card_reader import PhotoTurn, PictureReader
from bot.products.card_text import candidate, chosen
from bot.products.corrections import Command, Correction, asks, command_of, correction_of
from bot.products.draft import Draft, StatedValue, is_other_product, numbers_in, open_question
from bot.products.draft_store import CapturedTurn, DraftChange, Drafts
from bot.products.texts import words
from pipelines.image import PhotoText

SESSION_SECONDS = 15 * 60
_MOST_PHOTOS = 10


@dataclass(frozen=True, slots=True)
class CaptureMessage:
    """A message of a turn: its person's own words (typed, spoken, a caption), and what a photo shows."""

    message: Inbound
    words: str = ""
    sight: PhotoText | None = None


@dataclass(frozen=True, slots=True)
class CaptureServices:
    """What a session works with; `seconds` pass until a draft expires."""

    drafts: Drafts
    showing: CardMessages
    reader: PictureReader
    seconds: float = SESSION_SECONDS


@dataclass(slots=True)
class CaptureTurn:
    """One turn of a session, before it is written down."""

    means: CaptureServices
    conversation: str
    turn: PhotoTurn
    recent: bool
    draft: Draft | None = None
    expired: Draft | None = None
    changes: DraftChange = field(default_factory=DraftChange)
    handled: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    shows: bool = False

    async def take(self, group: Sequence[CaptureMessage]) -> None:
        """Photos first: what is said in the same breath is about all of them."""
        photos = [one for one in group if _is_of_a_product(one)]
        if self.draft and any(begins_another(one) for one in photos):
            self._leave_open("other_card")
        if photos:
            await self._add(photos)
        for one in group:
            if isinstance(one.message.content, Tap):
                await self._tapped(one.message.id, one.message.content)
            elif one.words and (one.sight is None or (one.message.id in self.handled and not command_of(one.words))):
                self._listen(one)

    async def captured(self) -> CapturedTurn:
        """What was made of it: one message with the card, below what there is to say."""
        text, messages = "\n\n".join(dict.fromkeys(self.said)), tuple(self.handled)
        if self.draft is None or not self.shows:
            return CapturedTurn(text=text, messages=messages)
        card = await self.means.showing.card(self.conversation, self.draft, self.turn.language)
        if isinstance(card, Say) and text:
            card, text = Say(body=f"{text}\n\n{card.body}"), ""
        return CapturedTurn(text=text, parts=(card,), messages=messages)

    # ---- photos

    async def _add(self, photos: Sequence[CaptureMessage]) -> None:
        sights = {one.message.id: one.sight for one in photos if one.sight is not None}
        before = await self._sights()
        if self.draft and is_other_product(self.draft, numbers_in(before.values()), numbers_in(sights.values())):
            self._leave_open("other_code")
            before = {}
        known = {sight.jpeg for sight in before.values()}
        fresh = {one: sight for one, sight in sights.items() if sight.jpeg not in known}
        room = dict(list(fresh.items())[: max(0, _MOST_PHOTOS - len(before))])
        told_name = self.draft is not None and "name" in self.draft.said
        read = await self.means.reader.card_of(
            self.conversation, [*before.values(), *room.values()], self.turn, told_name=told_name
        )
        if self.draft is None and not set(read.fields) - {"currency"}:
            return
        if len(room) < len(fresh):
            self._tell("full", most=str(_MOST_PHOTOS))
        self._over()
        draft = self.draft or Draft(
            id=_name(self.conversation, photos[0].message.id), currency=self.means.reader.shop_currency
        )
        if room:
            draft = draft.changed(photos=(*draft.photos, *room), read=read)
            self.changes.sights.setdefault(draft.id, {}).update(room)
        self._keep(draft, *sights)

    async def _sights(self) -> dict[str, PhotoText]:
        if self.draft is None:
            return {}
        kept = await self.means.drafts.sights(self.conversation, self.draft)
        added = self.changes.sights.get(self.draft.id, {})
        earlier = [one for one in self.draft.photos if one not in added]
        return dict(zip(earlier, kept, strict=False)) | added

    # ---- words

    def _listen(self, one: CaptureMessage) -> None:
        text, message = one.words, one.message.id
        command = command_of(text)
        if command:
            self._obey(command, message)
            return
        awaiting = self.draft.awaiting if self.draft else None
        correction = correction_of(text, awaiting)
        if not correction:
            return
        if self.draft is None:
            self._told_late(message)
            return
        self._correct(self.draft, correction, message)

    def _obey(self, command: Command, message: str) -> None:
        if self.draft is None:
            if command == "next" and (self.recent or self.expired):
                self._over()
                self._tell("next")
                self.handled.append(message)
            elif self.expired:
                self._told_late(message)
            return
        self.handled.append(message)
        if command == "save":
            self._tell("tap_to_save")
            self._keep(self.draft)
        elif command == "cancel":
            self.changes.drafts[self.draft.id] = self.draft.changed(state="left")
            self.draft, self.shows = None, False
            self._tell("left")
        else:
            self._leave_open("next_unsaved")

    def _correct(self, draft: Draft, correction: Correction, message: str) -> None:
        draft = draft.told({name: StatedValue(value=value) for name, value in correction.values.items()})
        for name in correction.wrong:
            draft = draft.without(name)
        if correction.misspelt:
            self._tell("bad_code", value=correction.misspelt)
            draft = draft.changed(awaiting="barcode")
        self._keep(draft, message)

    async def _tapped(self, message: str, tap: Tap) -> None:
        """An answer to a question below a card."""
        choice = chosen(tap.id)
        if choice is None:
            return
        name, revision, asked, which = choice
        self.handled.append(message)
        draft = self.draft if self.draft and self.draft.id == name else None
        draft = draft or await self.means.drafts.get(self.conversation, name)
        if draft is None or draft.state != "open" or draft.until < time.time():
            self._tell("gone")
            return
        if draft.revision != revision:
            self._tell("changed_since")
            self._keep(draft)
            return
        if which is None:
            self._keep(draft.changed(awaiting=asked))
            return
        value = candidate(draft, asked, which)
        doubt = open_question(draft)
        if value is None or doubt is None:
            self._keep(draft)
            return
        seen = next(one for one in doubt.candidates if one.value == value)
        self._keep(draft.told({asked: StatedValue(value=value, photo=seen.photo, box=seen.box)}))

    # ---- what follows

    def _keep(self, draft: Draft, *messages: str) -> None:
        """This is the draft from now on, and it is shown."""
        draft = draft.model_copy(update={"until": time.time() + self.means.seconds})
        self.draft, self.shows = draft, True
        self.changes.drafts[draft.id] = draft
        self.handled += messages

    def _leave_open(self, why: str) -> None:
        """Go on to another product: the card of this one can still be tapped."""
        self._tell(why, save=words("save", self.turn.language))
        self.draft, self.shows = None, False

    def _told_late(self, message: str) -> None:
        if self.expired:
            self._over()
            self._tell("send_again")
            self.handled.append(message)

    def _over(self) -> None:
        """Say once that the earlier draft is over."""
        if self.expired:
            self._tell("expired")
            self.changes.drafts[self.expired.id] = self.expired.changed(state="left")
            self.expired = None

    def _tell(self, name: str, **values: str) -> None:
        self.said.append(words(name, self.turn.language, **values))


def begins_another(one: CaptureMessage) -> bool:
    """A photo whose caption says that it is of the next product."""
    return isinstance(one.message.content, Photo | Document) and command_of(one.words) == "next"


def _is_of_a_product(one: CaptureMessage) -> bool:
    """A photo that asks nothing; one sent as a document is one too."""
    return isinstance(one.message.content, Photo | Document) and one.sight is not None and not asks(one.words)


def _name(conversation: str, message: str) -> str:
    """A draft's name: the same for every try, and nothing of its person."""
    return hashlib.sha256(f"{conversation}\n{message}".encode()).hexdigest()[:16]

"""Picks the messages of a turn that concern the draft of a photo session, and applies them to it.

Photos that come while a draft is open are of its product, unless they show another code; "otra" starts the next.
Questions in a caption or a text, and photos without a product, are left to the assistant. Photos that look like
something else, such as a receipt, are asked about before they become a card.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.messages import phrases
from bot.messages.inbound import Document, Photo, Tap
from bot.messages.outbound import Say
from bot.products.captions import stated_in
from bot.products.capture_message import CaptureMessage
from bot.products.card_message import CardMessages
from bot.products.card_reader import PhotoTurn, ProductReader
from bot.products.card_text import candidate, chosen
from bot.products.corrections import Command, Correction, asks, command_of, correction_of, denies
from bot.products.draft import Draft, StatedValue, awaited_of, is_other_product, numbers_in, open_question
from bot.products.draft_store import SESSION_SECONDS, CapturedTurn, DraftChange, Drafts
from bot.products.numbered_photos import NumberedPhotos
from bot.products.texts import phrase
from pipelines.image import PhotoText

_MOST_PHOTOS = 10


@dataclass(frozen=True, slots=True)
class CaptureServices:
    """Collaborators of a session; a draft expires after `seconds`."""

    drafts: Drafts
    card_messages: CardMessages
    reader: ProductReader
    seconds: float = SESSION_SECONDS


@dataclass(slots=True)
class CaptureOutcome:
    """Result of a turn before it is stored: changed drafts, the ids of handled messages, and notices for the person."""

    changes: DraftChange = field(default_factory=DraftChange)
    handled: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    shows_card: bool = False


@dataclass(slots=True)
class CaptureTurn:
    """A turn of a session; `recent` while the session of an earlier turn has not expired."""

    services: CaptureServices
    conversation: str
    turn: PhotoTurn
    recent: bool
    draft: Draft | None = None
    expired: Draft | None = None
    outcome: CaptureOutcome = field(default_factory=CaptureOutcome)

    async def apply(self, group: Sequence[CaptureMessage]) -> None:
        """Apply photos first, because the words of the same group are about all of them."""
        photos = [received for received in group if _is_of_a_product(received)]
        if self.draft and any(begins_another(photo) for photo in photos):
            self._leave_open("other_card")
        numbered = NumberedPhotos.of(group, photos)
        if photos:
            await self._add(numbered)
        elif self.draft and numbered.unread:
            self._note_left_out(numbered, self.draft.sent)
            self._keep(self.draft.model_copy(update={"sent": self.draft.sent + numbered.count}), *numbered.unread)
        for received in group:
            if isinstance(received.message.content, Tap):
                await self._tapped(received.message.id, received.message.content)
            elif received.words and (
                received.photo_text is None
                or (received.message.id in self.outcome.handled and not command_of(received.words))
            ):
                await self._apply_words(received)

    async def captured(self) -> CapturedTurn:
        """Put the notices and the card below them into one message."""
        text, messages = "\n\n".join(dict.fromkeys(self.outcome.notices)), tuple(self.outcome.handled)
        if self.draft is None or not self.outcome.shows_card:
            return CapturedTurn(text=text, messages=messages)
        card = await self.services.card_messages.card(self.conversation, self.draft, self.turn.language)
        if isinstance(card, Say) and text:
            card, text = Say(body=f"{text}\n\n{card.body}"), ""
        return CapturedTurn(text=text, parts=(card,), messages=messages)

    # Photos

    async def _add(self, photos: NumberedPhotos) -> None:
        before = await self._photo_texts()
        if self.draft and is_other_product(
            self.draft, numbers_in(before.values()), numbers_in(photos.photo_texts.values())
        ):
            self._leave_open("other_code")
            before = {}
        if self.draft and self.draft.doubtful and not photos.doubtful:
            # Because the person goes on with another photo, the doubtful one was not of a product.
            self._discard(self.draft)
            before = {}
        if photos.doubtful and (self.draft is None or self.draft.doubtful):
            self._ask_if_product(photos)
            return
        known = {photo_text.jpeg for photo_text in before.values()}
        fresh = {message: text for message, text in photos.of_product.items() if text.jpeg not in known}
        accepted = dict(list(fresh.items())[: max(0, _MOST_PHOTOS - len(before))])
        name_stated = self.draft is not None and "name" in self.draft.said
        read = await self.services.reader.card_of(
            self.conversation, [*before.values(), *accepted.values()], self.turn, name_stated=name_stated
        )
        if self.draft is None and not set(read.fields) - {"currency"}:
            return
        if len(accepted) < len(fresh):
            self._add_notice("full", most=str(_MOST_PHOTOS))
        draft = self._with_photos(photos, accepted)
        self._note_left_out(photos, draft.sent)
        if accepted:
            draft = draft.changed(read=read)
        self._keep(draft.model_copy(update={"sent": draft.sent + photos.count}), *photos.photo_texts, *photos.unread)

    def _with_photos(self, photos: NumberedPhotos, accepted: Mapping[str, PhotoText]) -> Draft:
        """The draft with photos that aren't read yet, each with the number by which the person knows it."""
        self._close_expired()
        draft = self.draft or Draft(
            id=_name(self.conversation, next(iter(photos.photo_texts))), currency=self.services.reader.shop_currency
        )
        numbers = (*draft.numbers, *(draft.sent + photos.places[message] for message in accepted))
        if accepted:
            self.outcome.changes.photo_texts.setdefault(draft.id, {}).update(accepted)
        return draft.model_copy(update={"photos": (*draft.photos, *accepted), "numbers": numbers})

    def _ask_if_product(self, photos: NumberedPhotos) -> None:
        draft = self._with_photos(photos, dict(list(photos.photo_texts.items())[:_MOST_PHOTOS]))
        draft = draft.changed(doubtful=photos.doubtful, sent=draft.sent + photos.count)
        self._keep(draft, *photos.photo_texts)

    def _note_left_out(self, photos: NumberedPhotos, sent: int) -> None:
        """Tell which photos aren't on the card, by their numbers."""
        for message, subject in photos.left_out.items():
            self._add_notice(f"{subject}_left_out", number=str(sent + photos.places[message]))
        for message, trouble in photos.unread.items():
            problem = phrases.phrase(trouble, self.turn.language)
            number = sent + photos.places[message]
            self.outcome.notices.append(
                phrases.phrase("numbered_photo", self.turn.language).format(number=number, said=problem)
            )

    async def _confirm_product(self, draft: Draft) -> Draft:
        """Read the photos that were asked about, because the person says that they are of a product."""
        self.draft = draft
        photo_texts = list((await self._photo_texts()).values())
        read = await self.services.reader.card_of(self.conversation, photo_texts, self.turn, name_stated=False)
        return draft.changed(read=read, doubtful="")

    async def _photo_texts(self) -> dict[str, PhotoText]:
        if self.draft is None:
            return {}
        kept = await self.services.drafts.photo_texts(self.conversation, self.draft)
        added = self.outcome.changes.photo_texts.get(self.draft.id, {})
        earlier = [photo for photo in self.draft.photos if photo not in added]
        return dict(zip(earlier, kept, strict=False)) | added

    # Words

    async def _apply_words(self, received: CaptureMessage) -> None:
        text, message = received.words, received.message.id
        command = command_of(text)
        if self.draft and self.draft.doubtful and denies(text):
            command = "cancel"
        if command:
            await self._run_command(command, message)
            return
        correction = self._correction_in(received)
        if not correction:
            return
        if self.draft is None:
            self._answer_expired(message)
            return
        draft = await self._confirm_product(self.draft) if self.draft.doubtful else self.draft
        self._correct(draft, correction, message)

    def _correction_in(self, received: CaptureMessage) -> Correction:
        awaiting = awaited_of(self.draft) if self.draft else None
        stated = Correction()
        if received.photo_text is not None:
            # A caption was written before anybody could ask about its photo.
            stated = correction_of(received.words) or Correction(stated_in(received.words, received.photo_text.text))
        return stated or correction_of(received.words, awaiting)

    async def _run_command(self, command: Command, message: str) -> None:
        if self.draft is None:
            if command == "next" and (self.recent or self.expired):
                self._close_expired()
                self._add_notice("next")
                self.outcome.handled.append(message)
            elif self.expired:
                self._answer_expired(message)
            return
        self.outcome.handled.append(message)
        if command == "save" and self.draft.doubtful:
            self._keep(await self._confirm_product(self.draft))
        elif command == "save":
            self._add_notice("tap_to_save")
            self._keep(self.draft)
        elif command == "cancel":
            self._add_notice("was_no_product" if self.draft.doubtful else "left")
            self._discard(self.draft)
        else:
            self._leave_open("next_unsaved")

    def _correct(self, draft: Draft, correction: Correction, message: str) -> None:
        draft = draft.with_stated({name: StatedValue(value=value) for name, value in correction.values.items()})
        for name in correction.wrong:
            draft = draft.without(name)
        if correction.misspelt:
            self._add_notice("bad_code", value=correction.misspelt)
            draft = draft.changed(awaiting="barcode")
        self._keep(draft, message)

    async def _tapped(self, message: str, tap: Tap) -> None:
        """Apply the answer to a question below a card."""
        choice = chosen(tap.id)
        if choice is None:
            return
        self.outcome.handled.append(message)
        draft = self.draft if self.draft and self.draft.id == choice.draft else None
        draft = draft or await self.services.drafts.get(self.conversation, choice.draft)
        if draft is None or draft.state != "open" or draft.until < time.time():
            self._add_notice("gone")
            return
        if draft.revision != choice.revision:
            self._add_notice("changed_since")
            self._keep(draft)
        elif choice.discards:
            self._add_notice("was_no_product" if draft.doubtful else "left")
            self._discard(draft)
        elif choice.is_of_subject:
            self._keep(await self._confirm_product(draft))
        elif choice.which is None:
            self._keep(draft.changed(awaiting=choice.field))
        else:
            self._keep(_with_candidate(draft, choice.field, choice.which))

    # Changes to the session

    def _keep(self, draft: Draft, *messages: str) -> None:
        """Make this the session's draft and show it."""
        draft = draft.model_copy(update={"until": time.time() + self.services.seconds})
        self.draft, self.outcome.shows_card = draft, True
        self.outcome.changes.drafts[draft.id] = draft
        self.outcome.handled += messages

    def _discard(self, draft: Draft) -> None:
        self.outcome.changes.drafts[draft.id] = draft.changed(state="left")
        if self.draft is None or self.draft.id == draft.id:
            self.draft, self.outcome.shows_card = None, False

    def _leave_open(self, why: str) -> None:
        """Go on to another product: the card of this one can still be tapped."""
        self._add_notice(why, save=phrase("save", self.turn.language))
        self.draft, self.outcome.shows_card = None, False

    def _answer_expired(self, message: str) -> None:
        if self.expired:
            self._close_expired()
            self._add_notice("send_again")
            self.outcome.handled.append(message)

    def _close_expired(self) -> None:
        """Tell the person once that the earlier draft has expired."""
        if self.expired:
            self._add_notice("expired")
            self.outcome.changes.drafts[self.expired.id] = self.expired.changed(state="left")
            self.expired = None

    def _add_notice(self, name: str, **values: str) -> None:
        self.outcome.notices.append(phrase(name, self.turn.language, **values))


def begins_another(received: CaptureMessage) -> bool:
    """Whether a photo's caption says that it is of the next product."""
    return isinstance(received.message.content, Photo | Document) and command_of(received.words) == "next"


def _with_candidate(draft: Draft, field: str, which: int) -> Draft:
    """The draft with the value that was tapped, as if the person had stated it."""
    value, doubt = candidate(draft, field, which), open_question(draft)
    if value is None or doubt is None:
        return draft
    seen = next(candidate for candidate in doubt.candidates if candidate.value == value)
    return draft.with_stated({field: StatedValue(value=value, photo=seen.photo, box=seen.box)})


def _is_of_a_product(received: CaptureMessage) -> bool:
    """Whether it is a photo, also one sent as a document, whose caption asks nothing."""
    return (
        isinstance(received.message.content, Photo | Document)
        and received.photo_text is not None
        and not asks(received.words)
    )


def _name(conversation: str, message: str) -> str:
    """Name a draft by a digest: each try gives the same one, and it tells nothing of the person."""
    return hashlib.sha256(f"{conversation}\n{message}".encode()).hexdigest()[:16]

"""Photos of a group of messages, each with its number as the person counts, sorted by what they seem to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.messages.inbound import Photo
from bot.products.captions import stated_in
from bot.products.capture_message import CaptureMessage
from pipelines.image import PhotoText
from pipelines.product.subject import Subject, subject_of


@dataclass(frozen=True, slots=True)
class NumberedPhotos:
    """`places` count from 1 by message id; `unread` have the phrase for their trouble."""

    photo_texts: Mapping[str, PhotoText]
    subjects: Mapping[str, Subject]
    unread: Mapping[str, str]
    places: Mapping[str, int]

    @classmethod
    def of(cls, group: Sequence[CaptureMessage], photos: Sequence[CaptureMessage]) -> NumberedPhotos:
        """Number the `photos` of a group together with those that can't be read."""
        unread = {
            received.message.id: received.trouble
            for received in group
            if received.trouble and received.photo_text is None and isinstance(received.message.content, Photo)
        }
        shown = {photo.message.id for photo in photos} | set(unread)
        order = [received.message.id for received in group if received.message.id in shown]
        return cls(
            {photo.message.id: photo.photo_text for photo in photos if photo.photo_text is not None},
            {photo.message.id: _subject(photo) for photo in photos},
            unread,
            {message: place for place, message in enumerate(order, 1)},
        )

    @property
    def count(self) -> int:
        return len(self.places)

    @property
    def doubtful(self) -> str:
        """The subject of the first photo, if none of them seems to be of a product."""
        subjects = list(self.subjects.values())
        return "" if "product" in subjects or not subjects else subjects[0]

    @property
    def left_out(self) -> dict[str, Subject]:
        """Photos that are no part of a card, with what they seem to show.

        Beside another photo of the product the back of its package may look like a page, but a receipt is never of it.
        """
        never = ("receipt",) if not self.doubtful else ("receipt", "poster", "page")
        return {message: subject for message, subject in self.subjects.items() if subject in never}

    @property
    def of_product(self) -> dict[str, PhotoText]:
        """Photos for a card."""
        return {message: text for message, text in self.photo_texts.items() if message not in self.left_out}


def _subject(received: CaptureMessage) -> Subject:
    """The subject of a photo; a caption that names the product settles it."""
    if received.photo_text is None or "name" in stated_in(received.words, received.photo_text.text):
        return "product"
    return subject_of(received.photo_text)

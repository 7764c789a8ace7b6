"""A message of a turn as the photo session gets it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.messages.inbound import Inbound
from pipelines.image import PhotoText


@dataclass(frozen=True, slots=True)
class CaptureMessage:
    """A message of a turn: the person's own words (typed, spoken, a caption), and the text and codes of a photo.

    `trouble` names the phrase for the person when its file can't be read.
    """

    message: Inbound
    words: str = ""
    photo_text: PhotoText | None = None
    trouble: str | None = None

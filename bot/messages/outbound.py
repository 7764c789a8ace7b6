"""Models of the messages that we send; bot.whatsapp renders them for Meta."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.messages.record import Record


class Say(Record):
    """A text to send, already in WhatsApp's formatting and within its limits; `quote` is the message it answers."""

    kind: Literal["say"] = "say"
    body: str = Field(min_length=1, max_length=4096)
    quote: str | None = None


class StoredFile(Record):
    """Bytes in our storage, by key; uploaded to Meta when they are sent."""

    key: str
    mime: str
    filename: str | None = None


class Picture(Record):
    kind: Literal["picture"] = "picture"
    file: StoredFile
    caption: str | None = None


class Attachment(Record):
    """A document, such as an invoice."""

    kind: Literal["attachment"] = "attachment"
    file: StoredFile
    caption: str | None = None


class VoiceNote(Record):
    """A recording that WhatsApp shows as a voice note: OGG/Opus, mono."""

    kind: Literal["voice_note"] = "voice_note"
    file: StoredFile


class SentVideo(Record):
    """A video that WhatsApp plays as it is: H.264 with AAC, in MP4 or 3GP."""

    kind: Literal["sent_video"] = "sent_video"
    file: StoredFile
    caption: str | None = None


class SentSticker(Record):
    """A WebP picture of 512 by 512, which may move."""

    kind: Literal["sent_sticker"] = "sent_sticker"
    file: StoredFile


class AskLocation(Record):
    """A button that lets the person send where they are."""

    kind: Literal["ask_location"] = "ask_location"
    body: str


class Choice(Record):
    """Something to tap; `id` comes back in the Tap, `title` and `description` are for reading."""

    id: str
    title: str
    description: str | None = None


class Buttons(Record):
    """Up to three things to tap below a text. On a confirmation the first one confirms and the last one declines."""

    kind: Literal["buttons"] = "buttons"
    body: str
    choices: tuple[Choice, ...]
    footer: str | None = None


class Menu(Record):
    """A list of up to ten things that opens from a button, which is labelled `opener`."""

    kind: Literal["menu"] = "menu"
    body: str
    opener: str
    choices: tuple[Choice, ...]
    footer: str | None = None


class LinkButton(Record):
    kind: Literal["link_button"] = "link_button"
    body: str
    label: str
    url: str


class Template(Record):
    """A template approved by Meta; `parameters` by name. The only thing that may leave outside the 24-hour window."""

    kind: Literal["template"] = "template"
    name: str
    language: str | None = None
    parameters: dict[str, str] = Field(default_factory=dict)


Part = Annotated[
    Say
    | Picture
    | Attachment
    | VoiceNote
    | SentVideo
    | SentSticker
    | AskLocation
    | Buttons
    | Menu
    | LinkButton
    | Template,
    Field(discriminator="kind"),
]


Filed = Picture | Attachment | VoiceNote | SentVideo | SentSticker
"""Parts whose file is uploaded before they are sent."""


class Reply(Record):
    """Parts that are sent together, in order; `id` keys the delivery, so that each leaves once.

    `fallback` leaves in its place while the 24-hour window is closed. `own` is a message that a colleague starts,
    not an answer, `operator` their name. `attempt` counts how often Meta accepted it and then reported a failure.
    `if_taken` are the parts that leave instead once an operator has the conversation; None: the same as before.
    """

    id: str
    parts: tuple[Part, ...]
    fallback: Template | None = None
    own: bool = False
    operator: str | None = None
    attempt: int = 0
    if_taken: tuple[Part, ...] | None = None
    phone: str | None = None
    bsuid: str | None = None
    phone_number_id: str = ""

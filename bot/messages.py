"""Our own words for what people send and what we answer; Meta's JSON ends at bot.whatsapp."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field


class Record(BaseModel, frozen=True, hide_input_in_errors=True):
    """A value that crosses a wall (Redis, a queue) and never changes; errors about it, which are logged, hide it."""


class Text(Record):
    kind: Literal["text"] = "text"
    body: str


class Media(Record):
    """A file that Meta keeps for us for 7 days; `mime` and `filename` are the sender's claims, not facts."""

    media_id: str
    mime: str = ""
    sha256: str | None = None
    caption: str | None = None
    filename: str | None = None


class Voice(Media):
    """A voice note (`recorded`) or an audio file."""

    kind: Literal["voice"] = "voice"
    recorded: bool = True


class Photo(Media):
    kind: Literal["photo"] = "photo"


class Video(Media):
    kind: Literal["video"] = "video"


class Document(Media):
    kind: Literal["document"] = "document"


class Sticker(Media):
    kind: Literal["sticker"] = "sticker"


class Location(Record):
    kind: Literal["location"] = "location"
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Card(Record):
    """A contact card; `vouched` means WhatsApp itself gave the sender's own number (origin contact_request)."""

    name: str | None = None
    phones: tuple[str, ...] = ()
    vouched: bool = False


class Cards(Record):
    kind: Literal["cards"] = "cards"
    cards: tuple[Card, ...]


class Tap(Record):
    """A tap on a button or a list row; only `id` may decide anything, `title` is for reading."""

    kind: Literal["tap"] = "tap"
    id: str
    title: str


class Form(Record):
    """The answers of a WhatsApp Flow, as the JSON text that Meta passes on."""

    kind: Literal["form"] = "form"
    answers: str


class Order(Record):
    """A cart from the catalogue; its prices are the sender's and prove nothing."""

    kind: Literal["order"] = "order"
    text: str | None = None
    items: tuple[str, ...]


class Reaction(Record):
    """An emoji on an earlier message; None took it back."""

    kind: Literal["reaction"] = "reaction"
    message_id: str
    emoji: str | None


class Edit(Record):
    kind: Literal["edit"] = "edit"
    message_id: str
    body: str


class Revoke(Record):
    kind: Literal["revoke"] = "revoke"
    message_id: str


class System(Record):
    """News about the contact (a changed number), not words of a person."""

    kind: Literal["system"] = "system"
    event: str


class Unsupported(Record):
    """Something that we can't read: the person is told so, nothing is dropped."""

    kind: Literal["unsupported"] = "unsupported"
    type: str


Content = Annotated[
    Text
    | Voice
    | Photo
    | Video
    | Document
    | Sticker
    | Location
    | Cards
    | Tap
    | Form
    | Order
    | Reaction
    | Edit
    | Revoke
    | System
    | Unsupported,
    Field(discriminator="kind"),
]


class Inbound(Record):
    """One message of one person; who they are is what the signed webhook said, never what a text says."""

    id: str
    phone: str | None = None
    bsuid: str | None = None
    name: str | None = None
    phone_number_id: str = ""
    sent_at: AwareDatetime
    received_at: AwareDatetime
    quoted: str | None = None
    forwarded: bool = False
    group_id: str | None = None
    content: Content


class Status(Record):
    """What became of a message that we sent; `callback` is our own string, sent back by Meta."""

    wamid: str
    status: str
    callback: str | None = None
    error: int | None = None


class Say(Record):
    """A text to send, already in WhatsApp's formatting and within its limits."""

    kind: Literal["say"] = "say"
    body: str = Field(min_length=1, max_length=4096)


class Reply(Record):
    """Everything that one turn answers, in order; `id` keys its delivery, so that it leaves once."""

    id: str
    parts: tuple[Say, ...]
    phone: str | None = None
    bsuid: str | None = None
    phone_number_id: str = ""

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


class ContactCard(Record):
    """A contact card; `vouched` means WhatsApp itself gave the sender's own number (origin contact_request)."""

    name: str | None = None
    company: str | None = None
    phones: tuple[str, ...] = ()
    # E-mail addresses, web pages, postal addresses.
    others: tuple[str, ...] = ()
    vouched: bool = False


class ContactCards(Record):
    kind: Literal["cards"] = "cards"
    cards: tuple[ContactCard, ...]


class Tap(Record):
    """A tap on a button or a list row; only `id` may decide anything, `title` is for reading.

    `cut` says that the title is a shortened one, and that the whole one isn't known any more.
    """

    kind: Literal["tap"] = "tap"
    id: str
    title: str
    cut: bool = False


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
    emoji: str | None = None


class Edit(Record):
    """New words for an earlier message: its text, or the caption of its file."""

    kind: Literal["edit"] = "edit"
    message_id: str
    body: str
    caption: bool = False


class Revoke(Record):
    kind: Literal["revoke"] = "revoke"
    message_id: str


class CallPermission(Record):
    """Whether we may call the person; `permanent` until they take it back."""

    kind: Literal["call_permission"] = "call_permission"
    accepted: bool
    permanent: bool = False


class System(Record):
    """News about the contact, not words of a person; `phone` and `bsuid` are those that hold from now on."""

    kind: Literal["system"] = "system"
    event: str
    phone: str | None = None
    bsuid: str | None = None


class Unsupported(Record):
    """Something that we can't read: the person is told so, nothing is dropped. `error` is Meta's code for it."""

    kind: Literal["unsupported"] = "unsupported"
    type: str
    error: int | None = None


Content = Annotated[
    Text
    | Voice
    | Photo
    | Video
    | Document
    | Sticker
    | Location
    | ContactCards
    | Tap
    | Form
    | Order
    | Reaction
    | Edit
    | Revoke
    | CallPermission
    | System
    | Unsupported,
    Field(discriminator="kind"),
]


class Referral(Record):
    """The advertisement or post from which somebody came; its words are those of its author."""

    source: str
    headline: str | None = None
    body: str | None = None
    url: str | None = None
    ctwa_clid: str | None = None


class Inbound(Record):
    """One message of one person; who they are is what the signed webhook said, never what a text says.

    `author` is the business where a colleague or another bot of it wrote to the person; an `aside` is a copy of
    what was said past us (`echo`: from the business's app, `standby`: while another bot is in charge).
    `retries` counts how often an operator let it be tried anew after its turn had failed for good.
    """

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
    product: str | None = None
    referral: Referral | None = None
    author: Literal["person", "business"] = "person"
    aside: Literal["echo", "standby"] | None = None
    retries: int = 0
    content: Content


class Status(Record):
    """What became of a message that we sent; `callback` is our own string, sent back by Meta.

    `pricing` is how Meta charges it, as (type, category), where the status tells.
    """

    wamid: str
    status: str
    callback: str | None = None
    error: int | None = None
    pricing: tuple[str, str] | None = None


class Say(Record):
    """A text to send, already in WhatsApp's formatting and within its limits; `quote` is the message it answers."""

    kind: Literal["say"] = "say"
    body: str = Field(min_length=1, max_length=4096)
    quote: str | None = None


class React(Record):
    """An emoji on a message of the person; an empty one takes it back."""

    kind: Literal["react"] = "react"
    message_id: str
    emoji: str


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


class Place(Record):
    kind: Literal["place"] = "place"
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class AskLocation(Record):
    """A button that lets the person send where they are."""

    kind: Literal["ask_location"] = "ask_location"
    body: str


class AskContact(Record):
    """A button that lets the person share their own number, vouched for by WhatsApp."""

    kind: Literal["ask_contact"] = "ask_contact"
    body: str


class Choice(Record):
    """Something to tap; `id` comes back in the Tap, `title` and `description` are for reading."""

    id: str
    title: str
    description: str | None = None


class Buttons(Record):
    """Up to three things to tap below a text. The first confirms, the last leaves it (contract.md)."""

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
    | React
    | Picture
    | Attachment
    | VoiceNote
    | Place
    | AskLocation
    | AskContact
    | Buttons
    | Menu
    | LinkButton
    | Template,
    Field(discriminator="kind"),
]


class Reply(Record):
    """Everything that is said at once, in order; `id` keys its delivery, so that it leaves once.

    `fallback` leaves in its place while the 24-hour window is closed. `own` is a message that a colleague starts,
    not an answer. `attempt` counts the times that Meta accepted it and then told of a failure.
    """

    id: str
    parts: tuple[Part, ...]
    fallback: Template | None = None
    own: bool = False
    attempt: int = 0
    phone: str | None = None
    bsuid: str | None = None
    phone_number_id: str = ""

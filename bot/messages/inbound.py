"""Models of the messages of people; Meta's JSON ends at bot.whatsapp."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bot.messages.record import Record

# `Unsupported.type` of a call that nobody took.
CALL = "call"


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
    """An emoji on an earlier message; None removes it."""

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
    """The person's answer to our wish to call."""

    kind: Literal["call_permission"] = "call_permission"
    accepted: bool


class GivenBack(Record):
    """An operator gives the conversation back to the assistant, with a note for it; no message of a person.

    `unanswered`: the person's last words still wait for an answer.
    """

    kind: Literal["given_back"] = "given_back"
    operator: str
    note: str | None = None
    unanswered: bool = False


class System(Record):
    """A change of the contact, not words of a person; `phone` and `bsuid` are the new ones."""

    kind: Literal["system"] = "system"
    event: str
    phone: str | None = None
    bsuid: str | None = None


# Meta's code in a message whose file Meta could not fetch: there may be an id, but nothing behind it.
FILE_LOST = 131052


class Unsupported(Record):
    """A message that we can't read; the person is told so. `error` is Meta's code."""

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
    | GivenBack
    | Unsupported,
    Field(discriminator="kind"),
]


class Referral(Record):
    """The advertisement or post from which somebody came, in the words of its author."""

    source: str
    headline: str | None = None
    body: str | None = None
    url: str | None = None
    ctwa_clid: str | None = None


class Inbound(Record):
    """A message of a person, who is identified by the signed webhook alone, never by a text.

    `author` is `business` if a colleague or another bot wrote to the person. `aside` marks a copy of a message that
    bypassed us (`echo`: from the business's app, `standby`: while another bot is in charge). `retries` counts how
    often an operator had it retried after its turn had failed for good. `before` sums up the conversation, by the app
    that owned it before us.
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
    before: str | None = None
    author: Literal["person", "business"] = "person"
    aside: Literal["echo", "standby"] | None = None
    retries: int = 0
    content: Content

    @property
    def is_call(self) -> bool:
        """Whether this is a call that nobody took, which can't be marked as read."""
        return isinstance(self.content, Unsupported) and self.content.type == CALL

    @property
    def is_ours(self) -> bool:
        """Whether this is news of ours for the assistant, and Meta knows nothing of it."""
        return isinstance(self.content, GivenBack)


class Status(Record):
    """Delivery status of a message of ours; `callback` is our own string, sent back by Meta.

    `pricing` is Meta's charge as (type, category), if the status has it. `phone_number_id` is the number that sent it;
    `phone` and `bsuid` are the recipient's.
    """

    wamid: str
    status: str
    callback: str | None = None
    error: int | None = None
    pricing: tuple[str, str] | None = None
    phone_number_id: str = ""
    phone: str | None = None
    bsuid: str | None = None

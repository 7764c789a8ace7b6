"""Meta's checks of a well-formed message against its state: people, windows, quotes, files, templates, rate limits."""

import base64
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.meta.chats import Chats
from sandbox.meta.errors import GraphRefusal
from sandbox.meta.faults import MetaFaults
from sandbox.meta.interactive import File
from sandbox.meta.media import MIMES, MediaStore
from sandbox.meta.parties import Business, Person
from sandbox.meta.rate_limits import MessageRateLimits
from sandbox.meta.routing import ThreadRouting
from sandbox.meta.templates import Template, Templates, rendered_parts, rendered_text
from sandbox.meta.validation import (
    BSUID,
    AudioMessage,
    DocumentMessage,
    ImageMessage,
    Message,
    ReactionMessage,
    StickerMessage,
    TemplateMessage,
    TemplateUse,
    VideoMessage,
)


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that Meta accepts: its recipient (None: nobody), its price category, and its later failure if any."""

    person: Person | None
    category: str = "service"
    text: str | None = None
    parts: dict[str, Any] | None = None
    failure: GraphRefusal | None = None


@dataclass(frozen=True, slots=True)
class MessageChecks:
    """The checks that need the account's state; each failed check raises GraphRefusal."""

    business: Business
    chats: Chats
    media: MediaStore
    templates: Templates
    rate_limits: MessageRateLimits
    faults: MetaFaults
    routing: ThreadRouting

    def check(self, message: Message) -> AcceptedMessage:
        """Accept the message or raise GraphRefusal; the order is Meta's as far as it can be observed."""
        person = self._addressee(message)
        self._check_quote(message, person)
        failure = self._check_file(message)
        use = self._check_template(message)
        if person and use is None and not self._window_is_open(person):
            raise GraphRefusal(
                131047, "More than 24 hours have passed since the recipient last replied to the sender number"
            )
        if person and use is None:
            self.routing.check_service(person)
        self.rate_limits.count(person.bsuid if person else "")
        if use is None:
            return AcceptedMessage(person, failure=failure)
        template, values = use
        shown = (rendered_text(template, values), rendered_parts(template, values))
        return AcceptedMessage(person, template.category.lower(), *shown, failure)

    def _window_is_open(self, person: Person) -> bool:
        return self.chats.window_is_open(person) and not self.faults.active("closed", person)

    def _addressee(self, message: Message) -> Person | None:
        if message.to is None:
            person = self.chats.find(bsuid=message.recipient)
            if person is None:
                raise GraphRefusal(131026, "The business-scoped user id is not known to this business")
            return person
        if re.match(BSUID, message.to):
            return None
        phone = re.sub(r"\D", "", message.to)
        if phone == self.business.display_phone_number:
            raise GraphRefusal(131021, "Recipient phone number is the sender's")
        return self.chats.find(phone=phone) or Person(phone, _bsuid_for(phone), "")

    def _check_quote(self, message: Message, person: Person | None) -> None:
        quoted = message.context.message_id if message.context else None
        if isinstance(message, ReactionMessage):
            quoted = message.reaction.message_id
        if quoted is not None and not self.chats.knows(quoted, person):
            raise GraphRefusal(131009, f"{quoted} is no message of this chat")

    def _check_file(self, message: Message) -> GraphRefusal | None:
        """Refuse a file that doesn't exist; a wrong file type fails only after the answer."""
        file: File
        match message:
            case ImageMessage():
                file = message.image
            case VideoMessage():
                file = message.video
            case AudioMessage():
                file = message.audio
            case DocumentMessage():
                file = message.document
            case StickerMessage():
                file = message.sticker
            case _:
                return None
        if file.id is None:
            return None
        try:
            mime = self.media.get(file.id).mime.split(";")[0].strip()
        except GraphRefusal as error:
            raise GraphRefusal(131009, f"Media ID {file.id} does not exist") from error
        fits = mime in MIMES[message.type]
        return None if fits else GraphRefusal(131053, f"{mime} can't be sent as {message.type}")

    def _check_template(self, message: Message) -> tuple[Template, TemplateUse] | None:
        if not isinstance(message, TemplateMessage):
            return None
        template = self.templates.check(message.template)
        if message.to is None and (template.category == "AUTHENTICATION" or template.bid_spec):
            raise GraphRefusal(131062, "This template can't be sent to a business-scoped user id")
        if template.bid_spec:
            raise GraphRefusal(131061, "Templates with a maximum price are sent by the Marketing Messages API")
        return template, message.template


def new_wamid() -> str:
    return "wamid.HBg" + base64.b64encode(secrets.token_bytes(33)).decode()


def answer(message: Message, person: Person | None, wamid: str) -> dict[str, Any]:
    """Meta's 200 means accepted, not delivered."""
    contact: dict[str, Any] = {"input": message.to or message.recipient}
    if message.to is None:
        contact["user_id"] = message.recipient
    elif person and person.phone:
        contact["wa_id"] = person.phone
    state = {"message_status": "accepted"} if message.type == "template" else {}
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid} | state]}


def _bsuid_for(phone: str) -> str:
    """The id of a number that never wrote; the same number always gets the same id."""
    return f"MX.{int(phone) * 7919 % 10**16:016d}"

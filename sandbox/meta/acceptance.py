"""Where Meta judges a well-formed message by what it knows: people, windows, quotes, files, templates, speed."""

import base64
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.meta.chats import Chats
from sandbox.meta.errors import Refused
from sandbox.meta.faults import Faults
from sandbox.meta.interactive import File
from sandbox.meta.media import MIMES, MediaShelf
from sandbox.meta.parties import Business, Person
from sandbox.meta.rate_limits import Pace
from sandbox.meta.templates import Template, Templates, drawn, fill
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
class Verdict:
    """A message that Meta takes: for whom (None: nobody), how it is charged, and why it will fail later if it will."""

    person: Person | None
    category: str = "service"
    words: str | None = None
    drawn: dict[str, Any] | None = None
    failure: Refused | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """The checks that need the account's state; every refusal is a Refused."""

    business: Business
    chats: Chats
    media: MediaShelf
    templates: Templates
    pace: Pace
    faults: Faults

    def judge(self, message: Message) -> Verdict:
        """What becomes of the message; the order is that of Meta's own checks as far as they can be seen."""
        person = self._addressee(message)
        self._check_quote(message, person)
        failure = self._check_file(message)
        use = self._check_template(message, person)
        if person and use is None and not self._window_is_open(person):
            raise Refused(
                131047, "More than 24 hours have passed since the recipient last replied to the sender number"
            )
        self.pace.count(person.bsuid if person else "")
        if use is None:
            return Verdict(person, failure=failure)
        template, values = use
        shown = (fill(template, values), drawn(template, values))
        return Verdict(person, template.category.lower(), *shown, failure)

    def _window_is_open(self, person: Person) -> bool:
        return self.chats.window_is_open(person) and not self.faults.standing("closed", person)

    def _addressee(self, message: Message) -> Person | None:
        if message.to is None:
            person = self.chats.find(bsuid=message.recipient)
            if person is None:
                raise Refused(131026, "The business-scoped user id is not known to this business")
            return person
        if re.match(BSUID, message.to):
            return None
        phone = re.sub(r"\D", "", message.to)
        if phone == self.business.display_phone_number:
            raise Refused(131021, "Recipient phone number is the sender's")
        return self.chats.find(phone=phone) or Person(phone, _bsuid_for(phone), "")

    def _check_quote(self, message: Message, person: Person | None) -> None:
        quoted = message.context.message_id if message.context else None
        if isinstance(message, ReactionMessage):
            quoted = message.reaction.message_id
        if quoted is not None and not self.chats.knows(quoted, person):
            raise Refused(131009, f"{quoted} is no message of this chat")

    def _check_file(self, message: Message) -> Refused | None:
        """Refuse a file that does not exist; one of the wrong type is found out only after the answer."""
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
        except Refused as error:
            raise Refused(131009, f"Media ID {file.id} does not exist") from error
        fits = mime in MIMES[message.type]
        return None if fits else Refused(131053, f"{mime} can't be sent as {message.type}")

    def _check_template(self, message: Message, person: Person | None) -> tuple[Template, TemplateUse] | None:
        if not isinstance(message, TemplateMessage):
            return None
        template = self.templates.check(message.template)
        if template.category == "AUTHENTICATION" and message.to is None and person:
            raise Refused(131062, "Authentication templates can't be sent to a business-scoped user id")
        return template, message.template


def new_wamid() -> str:
    return "wamid.HBg" + base64.b64encode(secrets.token_bytes(33)).decode()


def answer(message: Message, person: Person | None, wamid: str) -> dict[str, Any]:
    """Meta's 200: accepted, which is not delivered."""
    contact: dict[str, Any] = {"input": message.to or message.recipient}
    if message.to is None:
        contact["user_id"] = message.recipient
    elif person and person.phone:
        contact["wa_id"] = person.phone
    state = {"message_status": "accepted"} if message.type == "template" else {}
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid} | state]}


def _bsuid_for(phone: str) -> str:
    """An id for a number that never wrote, the same each time."""
    return f"MX.{int(phone) * 7919 % 10**16:016d}"

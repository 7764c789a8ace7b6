"""Requests that the Cloud API accepts at `/messages`, and the error codes of all others."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from sandbox.meta.errors import GraphRefusal
from sandbox.meta.interactive import AudioFile, Captioned, DocumentFile, File, Interactive, NonBlank, StrictModel

BSUID = r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$"
_PHONE = r"^\+?[\d\s().-]{7,24}$"
_MOST_CONTACTS = 257


class _Quote(StrictModel):
    message_id: NonBlank


class _Send(StrictModel):
    """The common fields of every message to a person."""

    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual"] = "individual"
    # Meta answers 200 to a BSUID in `to` and delivers nothing, so that we accept it too.
    to: Annotated[str | None, Field(pattern=rf"{_PHONE}|{BSUID}")] = None
    recipient: Annotated[str | None, Field(pattern=BSUID)] = None
    context: _Quote | None = None
    biz_opaque_callback_data: Annotated[str | None, Field(max_length=512)] = None
    recipient_identity_key_hash: str | None = None

    @model_validator(mode="after")
    def _has_recipient(self) -> Self:
        if self.to is None and self.recipient is None:
            raise PydanticCustomError("missing", "to or recipient is required")
        return self


class _Text(StrictModel):
    body: Annotated[NonBlank, Field(max_length=4096)]
    preview_url: bool = False


class TextMessage(_Send):
    type: Literal["text"]
    text: _Text


class ImageMessage(_Send):
    type: Literal["image"]
    image: Captioned


class VideoMessage(_Send):
    type: Literal["video"]
    video: Captioned


class AudioMessage(_Send):
    type: Literal["audio"]
    audio: AudioFile


class DocumentMessage(_Send):
    type: Literal["document"]
    document: DocumentFile


class StickerMessage(_Send):
    type: Literal["sticker"]
    sticker: File


class _Location(StrictModel):
    latitude: Annotated[float, Field(strict=False, ge=-90, le=90)]
    longitude: Annotated[float, Field(strict=False, ge=-180, le=180)]
    name: str | None = None
    address: str | None = None


class LocationMessage(_Send):
    type: Literal["location"]
    location: _Location


class _Name(StrictModel):
    formatted_name: NonBlank
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    prefix: str | None = None
    suffix: str | None = None

    @model_validator(mode="after")
    def _has_second_name_part(self) -> Self:
        if not any([self.first_name, self.last_name, self.middle_name, self.prefix, self.suffix]):
            raise PydanticCustomError("missing", "formatted_name and one more part of the name are required")
        return self


class _Phone(StrictModel):
    phone: str | None = None
    wa_id: str | None = None
    type: str | None = None


class _Card(StrictModel):
    name: _Name
    phones: Annotated[tuple[_Phone, ...], Field(strict=False)] = ()
    emails: Annotated[tuple[dict[str, str], ...], Field(strict=False)] = ()
    urls: Annotated[tuple[dict[str, str], ...], Field(strict=False)] = ()
    addresses: Annotated[tuple[dict[str, str], ...], Field(strict=False)] = ()
    org: dict[str, str] | None = None
    birthday: Annotated[str | None, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] = None


class ContactsMessage(_Send):
    type: Literal["contacts"]
    contacts: Annotated[list[_Card], Field(min_length=1, max_length=_MOST_CONTACTS)]


def _one_emoji(text: str) -> str:
    if any(letter.isalpha() or letter.isspace() for letter in text):
        raise ValueError("must be one emoji, or empty to take the reaction back")
    return text


class _Reaction(StrictModel):
    message_id: NonBlank
    emoji: Annotated[str, Field(max_length=16), AfterValidator(_one_emoji)]


class ReactionMessage(_Send):
    type: Literal["reaction"]
    reaction: _Reaction

    @model_validator(mode="after")
    def _quotes_nothing(self) -> Self:
        if self.context is not None:
            raise ValueError("a reaction may not carry a context")
        return self


class InteractiveMessage(_Send):
    type: Literal["interactive"]
    interactive: Interactive


class _Language(StrictModel):
    code: Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")]
    policy: Literal["deterministic"] = "deterministic"


def _lowercase(value: Any) -> Any:
    """Meta accepts these names in capitals too, and some clients write them so."""
    return value.lower() if isinstance(value, str) else value


class Component(StrictModel):
    """A component's values; their shape depends on the template, see `templates`."""

    type: Annotated[Literal["header", "body", "button"], BeforeValidator(_lowercase)]
    sub_type: Annotated[str | None, BeforeValidator(_lowercase)] = None
    index: str | int | None = None
    parameters: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = ()


class TemplateUse(StrictModel):
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: _Language
    components: Annotated[tuple[Component, ...], Field(strict=False)] = ()


class TemplateMessage(_Send):
    type: Literal["template"]
    template: TemplateUse


Message = Annotated[
    TextMessage
    | ImageMessage
    | VideoMessage
    | AudioMessage
    | DocumentMessage
    | StickerMessage
    | LocationMessage
    | ContactsMessage
    | ReactionMessage
    | InteractiveMessage
    | TemplateMessage,
    Field(discriminator="type"),
]


class _Typing(StrictModel):
    type: Literal["text"]


class ReadMark(StrictModel):
    """Marks a person's message as read; `typing_indicator` shows dots until the answer or for 25 s."""

    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: NonBlank
    typing_indicator: _Typing | None = None


_messages: TypeAdapter[Message] = TypeAdapter(Message)


def parse_request(body: Any) -> Message | ReadMark:
    """The parsed request; raises GraphRefusal with Meta's error code."""
    if not isinstance(body, Mapping):
        raise GraphRefusal(100, "The request body must be a JSON object")
    try:
        if "status" in body:
            return ReadMark.model_validate(body)
        # Meta treats a body without a type as text.
        return _messages.validate_python({"type": "text", **body})
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> GraphRefusal:
    first = error.errors(include_url=False, include_input=False)[0]
    place = first["loc"]
    details = f"Param {_location(place)}: {first['msg']}"
    if first["type"] == "missing":
        return GraphRefusal(131008, details)
    if first["type"] != "extra_forbidden" and "interactive" in place[1:]:
        return GraphRefusal(131009, details)
    return GraphRefusal(100, details)


def _location(place: Sequence[int | str]) -> str:
    """A location in the body in Meta's spelling: text['body']."""
    if not place:
        return "type"
    # The first step is the union's tag, not a key.
    first, *rest = place[1:] or place
    return str(first) + "".join(f"[{step!r}]" for step in rest)

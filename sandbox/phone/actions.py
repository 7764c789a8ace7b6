"""Actions of a person in the phone except files, validated before they become webhooks."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Id = Annotated[str, Field(min_length=1, max_length=300)]


class _Body(_Given):
    # The app takes longer texts from a person than the API takes from a business.
    body: Annotated[str, Field(min_length=1, max_length=65536)]


class Text(_Given):
    type: Literal["text"]
    text: _Body


class _Place(_Given):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=200)] | None = None
    address: Annotated[str, Field(max_length=400)] | None = None


class Location(_Given):
    type: Literal["location"]
    location: _Place


class _Chosen(_Given):
    id: Id
    title: Annotated[str, Field(max_length=60)]
    description: Annotated[str, Field(max_length=120)] | None = None


class _ButtonReply(_Given):
    type: Literal["button_reply"]
    button_reply: _Chosen


class _ListReply(_Given):
    type: Literal["list_reply"]
    list_reply: _Chosen


class Tap(_Given):
    type: Literal["interactive"]
    interactive: Annotated[_ButtonReply | _ListReply, Field(discriminator="type")]


class _Payload(_Given):
    payload: Id
    text: Annotated[str, Field(min_length=1, max_length=60)]


class TemplateTap(_Given):
    type: Literal["button"]
    button: _Payload


class _Emoji(_Given):
    message_id: Id
    emoji: Annotated[str, Field(max_length=16)]


class Reaction(_Given):
    type: Literal["reaction"]
    reaction: _Emoji


class _Original(_Given):
    original_message_id: Id


class Revoke(_Given):
    type: Literal["revoke"]
    revoke: _Original


class _NewWords(_Original):
    message: Text


class Edit(_Given):
    type: Literal["edit"]
    edit: _NewWords


class _CardName(_Given):
    formatted_name: Annotated[str, Field(min_length=1, max_length=200)]


class _CardPhone(_Given):
    phone: Annotated[str, Field(max_length=40)]
    wa_id: Annotated[str, Field(max_length=40)] | None = None


class _Card(_Given):
    name: _CardName
    phones: Annotated[list[_CardPhone], Field(max_length=5)]
    origin: Literal["contact_request", "other"] = "other"


class Contacts(_Given):
    type: Literal["contacts"]
    contacts: Annotated[list[_Card], Field(min_length=1, max_length=5)]


class SendMessage(_Given):
    """A message by the person with this BSUID; `context` is the wamid that it replies to."""

    person: Id
    message: Annotated[
        Text | Location | Tap | TemplateTap | Reaction | Revoke | Edit | Contacts, Field(discriminator="type")
    ]
    context: Id | None = None


class SendSample(_Given):
    """A sample file, sent by the person."""

    person: Id
    sample: Id


class Presence(_Given):
    """Whether the person has the chat on the screen."""

    person: Id
    open: bool


class NewPerson(_Given):
    name: Annotated[str, Field(min_length=1, max_length=60)]

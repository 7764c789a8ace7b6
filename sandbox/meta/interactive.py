"""Meta's rules for buttons, lists and other interactive messages, as models that refuse everything else."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, model_validator
from pydantic_core import PydanticCustomError

LONGEST_CAPTION = 1024
_MOST_ROWS = 10


class StrictModel(BaseModel):
    """A part of a request in which Meta accepts no other keys and no other types of value."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _not_blank(words: str) -> str:
    if not words.strip():
        raise ValueError("must not be blank")
    return words


NonBlank = Annotated[str, Field(min_length=1), AfterValidator(_not_blank)]
Address = Annotated[HttpUrl, Field(strict=False)]


def https(url: HttpUrl) -> HttpUrl:
    """Meta fetches linked media only over TLS."""
    if url.scheme != "https":
        raise ValueError("must be an https URL")
    return url


class File(StrictModel):
    """A file to send: either uploaded before, or at a public https address."""

    id: Annotated[str | None, Field(pattern=r"^\d+$")] = None
    link: Annotated[HttpUrl | None, Field(strict=False)] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.id is None and self.link is None:
            raise PydanticCustomError("missing", "one of id and link is required")
        if self.id is not None and self.link is not None:
            raise ValueError("id and link exclude each other")
        if self.link is not None:
            https(self.link)
        return self


class Captioned(File):
    caption: Annotated[str | None, Field(max_length=LONGEST_CAPTION)] = None


class DocumentFile(Captioned):
    filename: NonBlank | None = None


class AudioFile(File):
    voice: bool = False


class _Body(StrictModel):
    text: Annotated[NonBlank, Field(max_length=1024)]


class _LongBody(StrictModel):
    text: Annotated[NonBlank, Field(max_length=4096)]


class _Footer(StrictModel):
    text: Annotated[NonBlank, Field(max_length=60)]


class _TextHeader(StrictModel):
    type: Literal["text"]
    text: Annotated[NonBlank, Field(max_length=60)]


class _ImageHeader(StrictModel):
    type: Literal["image"]
    image: File


class _VideoHeader(StrictModel):
    type: Literal["video"]
    video: File


class _DocumentHeader(StrictModel):
    type: Literal["document"]
    document: DocumentFile


_Header = Annotated[_TextHeader | _ImageHeader | _VideoHeader | _DocumentHeader, Field(discriminator="type")]


def _require_unique(what: str, values: list[str]) -> None:
    if len(set(values)) < len(values):
        raise ValueError(f"{what} must be unique")


class _Reply(StrictModel):
    id: Annotated[NonBlank, Field(max_length=256)]
    title: Annotated[NonBlank, Field(max_length=20)]


class _Button(StrictModel):
    type: Literal["reply"]
    reply: _Reply


class _Buttons(StrictModel):
    buttons: Annotated[list[_Button], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _unique_buttons(self) -> Self:
        _require_unique("button ids", [button.reply.id for button in self.buttons])
        _require_unique("button titles", [button.reply.title for button in self.buttons])
        return self


class ButtonMessage(StrictModel):
    type: Literal["button"]
    header: _Header | None = None
    body: _Body
    footer: _Footer | None = None
    action: _Buttons


class _Row(StrictModel):
    id: Annotated[NonBlank, Field(max_length=200)]
    title: Annotated[NonBlank, Field(max_length=24)]
    description: Annotated[str | None, Field(max_length=72)] = None


class _Section(StrictModel):
    title: Annotated[NonBlank | None, Field(max_length=24)] = None
    rows: Annotated[list[_Row], Field(min_length=1)]


class _Sections(StrictModel):
    button: Annotated[NonBlank, Field(max_length=20)]
    sections: Annotated[list[_Section], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _rows_fit(self) -> Self:
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > _MOST_ROWS:
            raise ValueError(f"at most {_MOST_ROWS} rows in all sections together")
        if len(self.sections) > 1 and any(section.title is None for section in self.sections):
            raise ValueError("every section needs a title when there are several")
        _require_unique("row ids", [row.id for row in rows])
        return self


class ListMessage(StrictModel):
    type: Literal["list"]
    header: _TextHeader | None = None
    body: _LongBody
    footer: _Footer | None = None
    action: _Sections


class _UrlParameters(StrictModel):
    display_text: Annotated[NonBlank, Field(max_length=20)]
    url: Address


class _OpenUrl(StrictModel):
    name: Literal["cta_url"]
    parameters: _UrlParameters


class UrlMessage(StrictModel):
    type: Literal["cta_url"]
    header: _Header | None = None
    body: _Body
    footer: _Footer | None = None
    action: _OpenUrl


class _SendLocation(StrictModel):
    name: Literal["send_location"]


class LocationRequest(StrictModel):
    type: Literal["location_request_message"]
    body: _Body
    action: _SendLocation


class _SendContact(StrictModel):
    name: Literal["request_contact_info"]


class ContactRequest(StrictModel):
    """Meta's documentation and the libraries name the type differently, so that either name is accepted."""

    type: Literal["contact_request", "request_contact_info"]
    body: _Body
    action: _SendContact


Interactive = Annotated[
    ButtonMessage | ListMessage | UrlMessage | LocationRequest | ContactRequest, Field(discriminator="type")
]

"""Files picked, dropped or recorded in the browser, as the WhatsApp app would send them."""

import re
from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from pipelines.file_type import FileSignature, signature_of
from sandbox.meta.simulator import MediaKind

_MB = 1024 * 1024
# The app's limits: media up to 16 MB, documents up to 100 MB.
_LARGEST_MEDIA, _LARGEST_DOCUMENT = 16 * _MB, 100 * _MB
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.,+-]+)*")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONGEST_NAME, _LONGEST_FIELD = 200, 4096
_PHOTOS = ("jpeg", "png", "webp")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and the form's other fields; `mime` is detected from the bytes where possible."""

    data: bytes
    mime: str
    filename: str
    kind: MediaKind
    fields: dict[str, str]


async def read_upload(request: web.Request) -> Upload:
    """The form's fields and its `file`; HTTP 400 without a file, 413 for one that is too large."""
    fields: dict[str, str] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise web.HTTPBadRequest(text="a form holds no other forms")
        if part.name != "file":
            fields[str(part.name)] = (await _read(part, _LONGEST_FIELD)).decode("utf-8", "replace")
            continue
        data = await _read(part, _LARGEST_DOCUMENT)
        return classify(data, part.headers.get("Content-Type", ""), part.filename or "", fields)
    raise web.HTTPBadRequest(text="the form has no file")


def classify(data: bytes, declared: str, filename: str, fields: dict[str, str]) -> Upload:
    """Decide from the bytes which message the app would send; `fields["as"]` may ask for a document."""
    signature = signature_of(data)
    kind = _kind(signature, declared)
    if fields.get("as") == "document":
        kind = "document"
    elif fields.get("as") == "sticker" and kind == "image":
        kind = "sticker"
    if not data:
        raise web.HTTPBadRequest(text="the file is empty")
    if kind != "document" and len(data) > _LARGEST_MEDIA:
        raise web.HTTPRequestEntityTooLarge(_LARGEST_MEDIA, len(data))
    return Upload(data, _mime(signature, kind, declared), plain_name(filename), kind, fields)


def plain_name(filename: str) -> str:
    """The last part of a path, without characters that hide or reverse text."""
    name = _NOT_IN_NAMES.sub("", re.split(r"[/\\]", filename)[-1]).strip()
    return name[-_LONGEST_NAME:] or "file"


def _kind(signature: FileSignature | None, declared: str) -> MediaKind:
    match signature:
        case FileSignature("image", form) if form in _PHOTOS:
            return "image"
        case FileSignature("audio"):
            return "audio"
        case FileSignature("video"):
            # Browsers record sound alone into the same containers.
            return "audio" if declared.startswith("audio/") else "video"
    return "document"


def _mime(signature: FileSignature | None, kind: str, declared: str) -> str:
    sane = declared if _MIME.fullmatch(declared) else "application/octet-stream"
    family = "image" if kind == "sticker" else kind
    if signature is None or sane.startswith(f"{family}/") or kind == "document":
        return sane
    return f"{family}/{signature.format}"


async def _read(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(65536):
        data += chunk
        if len(data) > limit:
            raise web.HTTPRequestEntityTooLarge(limit, len(data))
    return bytes(data)

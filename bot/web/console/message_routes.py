"""Routes of messages: send a text, a template or a file; the files of a conversation."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from bot.conversations.assignment import NoConversation
from bot.messages.outbound import Template
from bot.storage.storage import NotStored, StorageFailed, disposition, safe_mime
from bot.web.console import reasons
from bot.web.console.access import Caller, json_answer, operators_may
from bot.web.console.bodies import Body, read_body
from bot.web.console.problems import ApiProblem
from bot.web.console.reasons import Reason, WrongValue
from bot.web.console.route_steps import CONVERSATION, actor_of, audit, known_conversation
from bot.web.refusals import count_refusal
from bot.whatsapp.errors import GraphError, MetaUnavailable
from bot.whatsapp.formatting import fits
from bot.whatsapp.limits import BUTTON_TITLE, MOST_BUTTONS
from bot.whatsapp.templates.registry import TemplateNotSendable

if TYPE_CHECKING:
    from bot.console.conversation_actions import Actor
    from bot.console.files import SentFile
    from bot.console.operator_messages import OperatorMessages, WrittenMessage
    from bot.console.parts import ConsoleParts

routes = web.RouteTableDef()
_LONGEST_KEY = 200
# Files that are being uploaded at the same time, and for how long each may take.
MOST_UPLOADS = 4
MOST_UPLOADS_OF_ONE = 2
_UPLOAD_SECONDS = 120.0
UPLOAD_SLOTS = web.AppKey("upload_slots", asyncio.Semaphore)
OWN_UPLOADS = web.AppKey("own_uploads", Counter[str])
_PIECE = 64 * 1024
_LONGEST_CAPTION = 4096
_SHOWN_INLINE = ("image/jpeg", "image/png", "image/webp", "image/gif", "audio/", "video/")
_FILE_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600",
}


def _short_title(title: str) -> str:
    if not fits(title, BUTTON_TITLE):
        raise WrongValue(f"un título tiene hasta {BUTTON_TITLE} signos", f"a title has up to {BUTTON_TITLE} signs")
    return title


ButtonTitle = Annotated[
    str,
    StringConstraints(min_length=1, max_length=BUTTON_TITLE, strip_whitespace=True, pattern=r"^[^\x00-\x1f]+$"),
    AfterValidator(_short_title),
]


class NewMessage(Body):
    """Either `text`, which may quote a message or have buttons below it, or `template` with its parameters."""

    text: str | None = Field(None, min_length=1, max_length=65_536)
    reply_to: str | None = Field(None, min_length=1, max_length=200)
    buttons: list[ButtonTitle] = Field(default_factory=list, max_length=MOST_BUTTONS)
    template: str | None = Field(None, pattern=r"^[a-z0-9_]{1,512}$")
    language: str | None = Field(None, pattern=r"^[a-z]{2,3}([_-][A-Z]{2})?$")
    parameters: dict[str, str] = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _one_of_both(self) -> NewMessage:
        if (self.text is None) == (self.template is None):
            raise WrongValue("se esperaba un texto o una plantilla", "expected either text or template")
        if self.text is not None and not self.text.strip():
            raise WrongValue("el texto está vacío", "the text is empty")
        if self.buttons and (self.text is None or self.reply_to is not None):
            raise WrongValue("los botones piden un texto, y sin cita", "buttons need a text, and no reply_to")
        if len({title.casefold() for title in self.buttons}) < len(self.buttons):
            raise WrongValue("dos botones tienen el mismo título", "two buttons have the same title")
        return self


@routes.post(f"{CONVERSATION}/messages")
@operators_may("write")
async def send(request: web.Request, caller: Caller) -> web.Response:
    """Send a message once for its key: 201, or 200 for the same message again."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not 0 < len(key) <= _LONGEST_KEY:
        raise ApiProblem(422, "key_needed", field="Idempotency-Key")
    console, name = await known_conversation(request)
    from bot.console import operator_messages  # noqa: PLC0415 - loaded with the console's parts

    written = await _refusals(_written(request, caller, console, name, key))
    operator_messages.ask_for_sending(console.scheduler, written)
    shown = operator_messages.shown(written)
    if written.is_new:
        details = {"message": shown["id"], "kind": shown["kind"], "parts": len(shown["messages"])}
        await audit(console, caller, "message", name, **details)
    return json_answer(shown, 201 if written.is_new else 200)


async def _written(request: web.Request, caller: Caller, console: ConsoleParts, name: str, key: str) -> WrittenMessage:
    by, messages = actor_of(caller), console.messages
    if request.content_type.startswith("multipart/"):
        return await _uploaded(request, messages, name, by, key)
    body = await read_body(request, NewMessage)
    if body.template is not None:
        template = Template(name=body.template, language=body.language, parameters=body.parameters)
        return await messages.template(name, by, key, template)
    if body.buttons:
        return await messages.buttons(name, by, key, body.text or "", body.buttons)
    return await messages.text(name, by, key, body.text or "", body.reply_to)


async def _uploaded(request: web.Request, messages: OperatorMessages, name: str, by: Actor, key: str) -> WrittenMessage:
    """Take a form's file and send it: few at a time, because each lies in memory, and none for ever."""
    slots, own = request.app[UPLOAD_SLOTS], request.app[OWN_UPLOADS]
    if slots.locked() or own[by.who] >= MOST_UPLOADS_OF_ONE:
        count_refusal("uploads_full")
        raise ApiProblem(503, "uploads_full", headers={"Retry-After": "5"})
    own[by.who] += 1
    try:
        async with slots:
            try:
                async with asyncio.timeout(_UPLOAD_SECONDS):
                    file = await _file(request)
            except TimeoutError as error:
                count_refusal("body_late")
                raise ApiProblem(408, "body_slow") from error
            return await messages.file(name, by, key, file)
    finally:
        own[by.who] -= 1
        # Counts without the operators who upload nothing any more.
        own += Counter()


async def _refusals(work: Any) -> WrittenMessage:
    from bot.console.files import FileNotSendable  # noqa: PLC0415 - loaded with the console's parts
    from bot.console.operator_messages import KeyUsed, NotYours, OptedOut, WindowOver  # noqa: PLC0415 - as above

    codes: dict[type[Exception], tuple[int, str]] = {
        NotYours: (409, "not_yours"),
        WindowOver: (409, "window_closed"),
        OptedOut: (409, "opted_out"),
        KeyUsed: (409, "key_used"),
        NoConversation: (404, "conversation_unknown"),
        StorageFailed: (503, "unavailable"),
        MetaUnavailable: (503, "unavailable"),
    }
    try:
        found: WrittenMessage = await work
    except TemplateNotSendable as error:
        raise ApiProblem(
            422, "template_not_sendable", field="template", why=Reason(error.said["es"], error.said["en"])
        ) from error
    except FileNotSendable as error:
        raise ApiProblem(
            422, "file_not_sendable", field="file", why=reasons.FILES[error.code].within(limit=error.limit)
        ) from error
    except GraphError as error:
        raise ApiProblem(409, "template_not_sendable", why=reasons.OF_META.within(code=error.code)) from error
    except tuple(codes) as error:
        status, code = codes[type(error)]
        raise ApiProblem(status, code) from error
    return found


async def _file(request: web.Request) -> SentFile:
    """The file of a form, read in pieces up to the largest that may be sent."""
    from bot.console.files import SentFile  # noqa: PLC0415 - loaded with the console's parts

    found: tuple[str, str, bytes] | None = None
    caption: str | None = None
    try:
        form = await request.multipart()
        while (part := await form.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise ApiProblem(422, "field_wrong", field="file", why=reasons.NO_FORM)
            if part.name == "file" and found is None:
                mime = part.headers.get("Content-Type", "application/octet-stream")
                found = (part.filename or "file", safe_mime(mime), await _bytes(part))
            elif part.name == "caption":
                caption = (await part.read_chunk(_LONGEST_CAPTION * 4)).decode("utf-8", "replace")[:_LONGEST_CAPTION]
            else:
                raise ApiProblem(422, "field_wrong", field=(part.name or "")[:64], why=reasons.UNKNOWN_FIELD)
    except (ValueError, AssertionError, web.RequestPayloadError, HttpProcessingError) as error:
        raise ApiProblem(422, "field_wrong", field="file", why=reasons.FORM_UNREADABLE) from error
    if found is None:
        raise ApiProblem(422, "field_wrong", field="file", why=reasons.NO_FILE)
    return SentFile(*found, (caption or "").replace("\0", "").strip() or None)


async def _bytes(part: BodyPartReader) -> bytes:
    from bot.console.files import LARGEST_FILE  # noqa: PLC0415 - loaded with the console's parts

    data = bytearray()
    while piece := await part.read_chunk(_PIECE):
        data += piece
        if len(data) > LARGEST_FILE:
            raise ApiProblem(
                413,
                "file_not_sendable",
                field="file",
                why=reasons.FILES["document_large"].within(limit=LARGEST_FILE >> 20),
            )
    return bytes(data)


@routes.post(f"{CONVERSATION}/typing")
@operators_may("write")
async def typing(request: web.Request, caller: Caller) -> web.Response:
    """Show the customer that somebody types; nothing depends on it."""
    console, name = await known_conversation(request)
    await console.messages.show_typing(name, actor_of(caller), console.graph, console.history)
    return web.Response(status=204)


@routes.get(f"{CONVERSATION}/media/{{message}}", allow_head=False)
@operators_may("read")
async def media(request: web.Request, _: Caller) -> web.Response:
    """The file of a message."""
    console, name = await known_conversation(request)
    place = await console.history.file_of(name, request.match_info["message"])
    if place is None:
        raise ApiProblem(404, "not_found")
    return await _stored(request, console, place.key, place.mime, place.filename)


@routes.get(f"{CONVERSATION}/files/{{file}}", allow_head=False)
@operators_may("read")
async def file(request: web.Request, _: Caller) -> web.Response:
    """A file of the contact."""
    console, name = await known_conversation(request)
    found = next((file for file in await console.files.of(name) if file.id == request.match_info["file"]), None)
    if found is None:
        raise ApiProblem(404, "not_found")
    return await _stored(request, console, found.key, found.mime, found.name)


async def _stored(
    request: web.Request, console: ConsoleParts, key: str, mime: str | None, filename: str | None
) -> web.Response:
    """A stored file: pictures and sounds may be drawn, everything else is only saved; nothing of it runs."""
    try:
        data = await console.storage.get(key)
    except NotStored as error:
        raise ApiProblem(404, "not_found") from error
    except StorageFailed as error:
        raise ApiProblem(503, "unavailable") from error
    kind = safe_mime(mime or "")
    drawn = kind.startswith(_SHOWN_INLINE)
    headers = _FILE_HEADERS | {
        "Content-Type": kind if drawn else "application/octet-stream",
        "Content-Disposition": "inline" if drawn else disposition(filename),
        "Accept-Ranges": "bytes",
    }
    try:
        wanted = request.http_range
        first, end, _ = wanted.indices(len(data))
    except ValueError:
        return web.Response(body=data, headers=headers)
    if wanted == slice(0, None, 1) or wanted == slice(None, None, 1):
        return web.Response(body=data, headers=headers)
    # Safari plays no film from a server that can't give a piece of it.
    if first >= end:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
    return web.Response(status=206, body=data[first:end], headers=headers)

"""Routes of conversations: list, read, take, give back, close, assign, note, label."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, StringConstraints

from bot.conversations.assignment import NoConversation
from bot.web.console import reasons
from bot.web.console.access import Caller, json_answer, operators_may
from bot.web.console.bodies import Body, NoFields, read_body, read_query
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.console.route_steps import CONVERSATION, action_refusals, actor_of, audit, known_conversation

routes = web.RouteTableDef()
Label = Annotated[
    str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True, pattern=r"^[^\x00-\x1f]+$")
]


class ConversationQuery(Body):
    state: Literal["waiting", "person", "bot", "closed", "mine", "unassigned", ""] = ""
    q: str = Field("", max_length=200)
    label: str = Field("", max_length=64)
    cursor: str = Field("", max_length=400)
    limit: int = Field(50, ge=1, le=200)


class MessageQuery(Body):
    before: str = Field("", max_length=400)
    limit: int = Field(50, ge=1, le=200)


class TakeOver(Body):
    force: bool = False


class GivenBackNote(Body):
    note: str | None = Field(None, max_length=4000)


class Assigned(Body):
    email: str = Field(min_length=1, max_length=320)


class PrivateNote(Body):
    text: str = Field(min_length=1, max_length=10_000, pattern=r"\S")


class LabelChanges(Body):
    add: list[Label] = Field(default_factory=list, max_length=20)
    remove: list[Label] = Field(default_factory=list, max_length=20)


@routes.get("/console/api/conversations", allow_head=False)
@operators_may("read")
async def conversations(request: web.Request, caller: Caller) -> web.Response:
    """A page of conversations, and how many there are to look at."""
    query, console = read_query(request, ConversationQuery), await parts(request)
    from bot.history.cursors import WrongCursor  # noqa: PLC0415 - loaded with the console's parts

    try:
        page = await console.history.conversations(
            state=query.state or None,
            q=query.q,
            labels=[query.label] if query.label else [],
            me=caller.who,
            after=query.cursor or None,
            limit=query.limit,
        )
    except WrongCursor as error:
        raise ApiProblem(422, "field_wrong", field="cursor", why=reasons.CURSOR) from error
    return json_answer(page.as_json() | {"counts": await console.history.counts(caller.who)})


@routes.get(CONVERSATION, allow_head=False)
@operators_may("read")
async def conversation(request: web.Request, _: Caller) -> web.Response:
    return json_answer(await _shown(request))


@routes.get(f"{CONVERSATION}/messages", allow_head=False)
@operators_may("read")
async def messages(request: web.Request, _: Caller) -> web.Response:
    """A page of messages, oldest first, with notes and hand-overs of the conversation."""
    query = read_query(request, MessageQuery)
    console, name = await known_conversation(request)
    from bot.console.message_page import message_page  # noqa: PLC0415 - loaded with the console's parts
    from bot.history.cursors import WrongCursor  # noqa: PLC0415 - as above

    try:
        return json_answer(await message_page(console.history, name, query.before or None, query.limit))
    except WrongCursor as error:
        raise ApiProblem(422, "field_wrong", field="before", why=reasons.CURSOR) from error


@routes.post(f"{CONVERSATION}/take")
@operators_may("take")
async def take(request: web.Request, caller: Caller) -> web.Response:
    """Take the conversation; 409 where a colleague has it, unless a supervisor forces it."""
    body = await read_body(request, TakeOver)
    console, name = await known_conversation(request)
    with action_refusals("taken"):
        await console.actions.take(name, actor_of(caller), force=body.force)
    await audit(console, caller, "take", name, **({"force": True} if body.force else {}))
    return json_answer(await _shown(request))


@routes.post(f"{CONVERSATION}/give-back")
@operators_may("take")
async def give_back(request: web.Request, caller: Caller) -> web.Response:
    """Let the assistant go on, with a note that it reads."""
    body = await read_body(request, GivenBackNote)
    console, name = await known_conversation(request)
    with action_refusals():
        await console.actions.give_back(name, actor_of(caller), (body.note or "").strip() or None, console.scheduler)
    await audit(console, caller, "give_back", name, note=bool(body.note))
    return json_answer(await _shown(request))


@routes.post(f"{CONVERSATION}/close")
@operators_may("close")
async def close(request: web.Request, caller: Caller) -> web.Response:
    await read_body(request, NoFields)
    console, name = await known_conversation(request)
    with action_refusals():
        if not await console.actions.is_closed(name, console.history):
            await console.actions.close(name, actor_of(caller))
    await console.ratings.ask(name, console.scheduler)
    await audit(console, caller, "close", name)
    return json_answer(await _shown(request))


@routes.post(f"{CONVERSATION}/assign")
@operators_may("assign")
async def assign(request: web.Request, caller: Caller) -> web.Response:
    """Give the conversation to a colleague."""
    body = await read_body(request, Assigned)
    console, name = await known_conversation(request)
    to = await console.operators.by_email(body.email)
    if to is None or to.disabled:
        raise ApiProblem(422, "operator_unknown", field="email")
    with action_refusals():
        await console.actions.assign(name, actor_of(caller), to)
    await audit(console, caller, "assign", name, to=to.email)
    return json_answer(await _shown(request))


@routes.post(f"{CONVERSATION}/notes")
@operators_may("note")
async def note(request: web.Request, caller: Caller) -> web.Response:
    """Add a private note; a key keeps it from being added twice."""
    body = await read_body(request, PrivateNote)
    console, name = await known_conversation(request)
    given = request.headers.get("Idempotency-Key", "")[:200] or secrets.token_hex(16)
    key = hashlib.sha256(f"{name} {caller.who} {given}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
    entry = await console.actions.add_note(name, actor_of(caller), body.text, key, console.operators)
    await audit(console, caller, "note", name, mentions=list(entry.mentions))
    found = {"id": entry.id, "at": entry.at.isoformat(), "author": entry.author, "author_name": caller.name}
    return json_answer(found | {"text": entry.text, "mentions": list(entry.mentions)}, 201)


@routes.post(f"{CONVERSATION}/labels")
@operators_may("label")
async def labels(request: web.Request, caller: Caller) -> web.Response:
    body = await read_body(request, LabelChanges)
    console, name = await known_conversation(request)
    await console.actions.label(name, body.add, body.remove)
    await audit(console, caller, "labels", name, add=list(body.add), remove=list(body.remove))
    return json_answer(await _shown(request))


@routes.post(f"{CONVERSATION}/read")
@operators_may("read")
async def read(request: web.Request, caller: Caller) -> web.Response:
    """Note that the messages were seen."""
    console, name = await known_conversation(request)
    await console.actions.see(name, actor_of(caller))
    return web.Response(status=204)


async def _shown(request: web.Request) -> dict[str, object]:
    """The conversation as it is now."""
    console, name = await known_conversation(request)
    try:
        return await console.actions.shown(name, console.history)
    except NoConversation as error:
        raise ApiProblem(404, "conversation_unknown") from error

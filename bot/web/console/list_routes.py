"""Routes of lists: colleagues, labels, templates, canned replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web
from pydantic import Field

from bot.web.console.access import Caller, json_answer, operators_may
from bot.web.console.bodies import Body, read_body
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.console.route_steps import audit
from bot.whatsapp.errors import GraphError, MetaUnavailable

if TYPE_CHECKING:
    from bot.people.canned_replies import CannedReply

routes = web.RouteTableDef()


class CannedReplyBody(Body):
    shortcut: str = Field(min_length=1, max_length=40, pattern=r"^[\w-]+$")
    text: str = Field(min_length=1, max_length=4096, pattern=r"\S")
    language: Literal["es", "en"] | None = None


@routes.get("/console/api/operators", allow_head=False)
@operators_may("read")
async def operators(request: web.Request, _: Caller) -> web.Response:
    """Colleagues to assign to and to mention."""
    console = await parts(request)
    present = await console.presence.present()
    found = [
        {"email": operator.email, "name": operator.name, "role": operator.role, "online": operator.email in present}
        for operator in await console.operators.all()
        if not operator.disabled
    ]
    return json_answer({"operators": found})


@routes.get("/console/api/labels", allow_head=False)
@operators_may("read")
async def labels(request: web.Request, _: Caller) -> web.Response:
    return json_answer({"labels": await (await parts(request)).history.labels()})


@routes.get("/console/api/templates", allow_head=False)
@operators_may("read")
async def templates(request: web.Request, caller: Caller) -> web.Response:
    """Templates with their words and the names of their parameters."""
    found = []
    try:
        known = await (await parts(request)).templates.known()
    except (GraphError, MetaUnavailable) as error:
        raise ApiProblem(503, "unavailable") from error
    for stored in known:
        synced = stored.synced
        found.append(
            {
                "name": synced.name,
                "language": synced.language,
                "category": synced.category.lower(),
                "status": synced.status,
                "body": synced.text("BODY"),
                "header": synced.text("HEADER") or None,
                "footer": synced.text("FOOTER") or None,
                "parameters": list(synced.parameters),
                "sendable": stored.refusal is None,
                "why_not": stored.refusal.said[caller.language] if stored.refusal else None,
            }
        )
    return json_answer({"templates": found})


@routes.get("/console/api/canned-replies", allow_head=False)
@operators_may("read")
async def canned_replies(request: web.Request, _: Caller) -> web.Response:
    found = [_shown(canned_reply) for canned_reply in await (await parts(request)).canned_replies.all()]
    return json_answer({"replies": found})


@routes.post("/console/api/canned-replies")
@operators_may("edit_canned_replies")
async def add_canned_reply(request: web.Request, caller: Caller) -> web.Response:
    return await _put(request, caller, None)


@routes.put("/console/api/canned-replies/{id}")
@operators_may("edit_canned_replies")
async def change_canned_reply(request: web.Request, caller: Caller) -> web.Response:
    return await _put(request, caller, request.match_info["id"])


@routes.delete("/console/api/canned-replies/{id}")
@operators_may("edit_canned_replies")
async def remove_canned_reply(request: web.Request, caller: Caller) -> web.Response:
    console = await parts(request)
    if not await console.canned_replies.remove(request.match_info["id"]):
        raise ApiProblem(404, "not_found")
    await audit(console, caller, "canned_reply_removed", request.match_info["id"])
    return web.Response(status=204)


async def _put(request: web.Request, caller: Caller, id_: str | None) -> web.Response:
    body, console = await read_body(request, CannedReplyBody), await parts(request)
    from bot.people.canned_replies import ShortcutTaken, TooManyReplies  # noqa: PLC0415 - loaded with the parts

    try:
        found = await console.canned_replies.put(id_, body.shortcut, body.text, body.language, caller.who)
    except ShortcutTaken as error:
        raise ApiProblem(409, "shortcut_taken", field="shortcut") from error
    except TooManyReplies as error:
        raise ApiProblem(409, "too_many_replies") from error
    if found is None:
        raise ApiProblem(404, "not_found")
    await audit(console, caller, "canned_reply_put", found.id, shortcut=found.shortcut)
    return json_answer(_shown(found), 200 if id_ else 201)


def _shown(reply: CannedReply) -> dict[str, Any]:
    return {"id": reply.id, "shortcut": reply.shortcut, "text": reply.text, "language": reply.language}

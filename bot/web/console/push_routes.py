"""Routes of notifications to the caller: their phones' browsers, and the mail while nobody is at the console."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from bot.web.console import reasons
from bot.web.console.access import TOKEN_HOLDER, Caller, json_answer, operators_may
from bot.web.console.bodies import Body, read_body
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.console.route_steps import audit

routes = web.RouteTableDef()


class BrowserOfCaller(Body):
    """`subscription` is a browser's PushSubscription, as its `toJSON` gives it."""

    subscription: dict[str, Any] = Field(max_length=20)


class DigestWanted(Body):
    wanted: bool


@routes.get("/console/api/push", allow_head=False)
@operators_may("read")
async def public_key(request: web.Request, _: Caller) -> web.Response:
    """The key for `pushManager.subscribe`; null where notifications are not set up."""
    settings = (await parts(request)).push
    return json_answer({"public_key": str(settings.public_key).rstrip("=") if settings.configured else None})


@routes.post("/console/api/push/{act:subscribe|forget}")
@operators_may("read")
async def change(request: web.Request, caller: Caller) -> web.Response:
    """Keep or forget a browser of the caller."""
    body, console = await read_body(request, BrowserOfCaller), await parts(request)
    from bot.integrations.push.subscriptions import NotASubscription, parse_subscription  # noqa: PLC0415 - as parts

    forgets = request.match_info["act"] == "forget"
    if not console.push.configured:
        raise ApiProblem(404, "not_found")
    try:
        # Stored browsers may go, whatever the rules for new ones are by now.
        private = forgets or console.push.allow_private
        subscription = await parse_subscription(body.subscription, allow_private=private)
    except NotASubscription as error:
        raise ApiProblem(422, "field_wrong", field="subscription", why=reasons.SUBSCRIPTION) from error
    if forgets:
        await console.browsers.remove(caller.who, subscription)
    elif not await console.browsers.add(caller.who, caller.language, subscription):
        raise ApiProblem(429, "too_many_tries", headers={"Retry-After": "3600"}, seconds=3600)
    return web.Response(status=204)


@routes.get("/console/api/digest", allow_head=False)
@operators_may("read")
async def digest(request: web.Request, caller: Caller) -> web.Response:
    """Whether the caller wants a mail while nobody is at the console; null where they can't get one."""
    console = await parts(request)
    possible = console.has_mail and caller.who != TOKEN_HOLDER
    wanted = await console.digests.wanted_by(caller.who) if possible else None
    return json_answer({"wanted": wanted, "minutes": console.digest_minutes})


@routes.put("/console/api/digest")
@operators_may("read")
async def want_digest(request: web.Request, caller: Caller) -> web.Response:
    body, console = await read_body(request, DigestWanted), await parts(request)
    if not console.has_mail or caller.who == TOKEN_HOLDER:
        raise ApiProblem(404, "not_found")
    if body.wanted:
        await console.digests.want(caller.who, caller.language)
    else:
        await console.digests.refuse(caller.who)
    await audit(console, caller, "digest", caller.who, wanted=body.wanted)
    return web.Response(status=204)

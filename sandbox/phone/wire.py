"""Raw webhooks, Graph calls and Stripe events on the page, and sending them again."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from sandbox.meta.simulator import MetaSimulator
from sandbox.stripe import StripeSimulator


def meta_routes(meta: MetaSimulator) -> list[web.RouteDef]:
    """`GET /wire` (newest first, without bodies), `GET /wire/{id}`, and `POST /wire/{id}/again` for a webhook."""

    async def shown(_: web.Request) -> web.Response:
        return web.json_response(meta.wire.as_json())

    async def one(request: web.Request) -> web.Response:
        exchange = meta.wire.find(int(request.match_info["id"]))
        if exchange is None:
            raise web.HTTPNotFound
        return web.json_response(asdict(exchange))

    async def again(request: web.Request) -> web.Response:
        exchange = meta.wire.find(int(request.match_info["id"]))
        if exchange is None or exchange.kind != "webhook":
            raise web.HTTPNotFound
        return web.json_response({"taken": await meta.delivery.sender.send(exchange.request.encode())})

    return [
        web.get("/wire", shown),
        web.get(r"/wire/{id:\d{1,9}}", one),
        web.post(r"/wire/{id:\d{1,9}}/again", again),
    ]


def stripe_routes(stripe: StripeSimulator) -> list[web.RouteDef]:
    """`GET /stripe/events/{id}`, and `POST /stripe/events/{id}/again`."""

    async def shown(request: web.Request) -> web.Response:
        event = stripe.account.find("event", request.match_info["id"])
        if event is None:
            raise web.HTTPNotFound
        return web.json_response(event)

    async def again(request: web.Request) -> web.Response:
        event = stripe.account.find("event", request.match_info["id"])
        if event is None:
            raise web.HTTPNotFound
        stripe.webhooks.send(event)
        return web.json_response({})

    return [web.get("/stripe/events/{id}", shown), web.post("/stripe/events/{id}/again", again)]

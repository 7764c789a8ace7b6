"""Raw webhooks, Graph calls and Stripe events on the page; sending them again, and sending some of one's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from sandbox.meta.drafts import DraftKind, draft, shown_in_chats
from sandbox.meta.simulator import MetaSimulator
from sandbox.meta.webhooks import encode
from sandbox.phone.request_body import read_json, validated
from sandbox.stripe import StripeSimulator


class WantedDraft(BaseModel):
    """A kind of notification, about the person with this BSUID."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person: str
    kind: DraftKind


class _EventData(BaseModel):
    object: dict[str, Any]


class OwnEvent(BaseModel):
    """An event of Stripe written by hand; without an id, or with a known one, it gets a new one."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Annotated[str, Field(min_length=3, max_length=100, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
    data: _EventData
    id: Annotated[str | None, Field(max_length=100, pattern=r"^evt_\w+$")] = None


def meta_routes(meta: MetaSimulator) -> list[web.RouteDef]:
    """`GET /wire` (newest first, without bodies), `GET /wire/{id}`, and `POST /wire/{id}/again` for a webhook.

    `GET /wire/draft` gives a notification to begin with, and `POST /wire` sends one, signed as Meta's.
    """

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

    async def begun(request: web.Request) -> web.Response:
        wanted = validated(WantedDraft, dict(request.query))
        person = meta.chats.find(bsuid=wanted.person)
        if person is None:
            raise web.HTTPBadRequest(text="nobody has this id")
        return web.json_response(draft(meta, person, wanted.kind))

    async def sent(request: web.Request) -> web.Response:
        body = await read_json(request)
        shown_in_chats(meta, body)
        return web.json_response({"taken": await meta.delivery.sender.send_once(encode(body))})

    return [
        web.get("/wire", shown),
        web.get("/wire/draft", begun),
        web.post("/wire", sent),
        web.get(r"/wire/{id:\d{1,9}}", one),
        web.post(r"/wire/{id:\d{1,9}}/again", again),
    ]


def stripe_routes(stripe: StripeSimulator) -> list[web.RouteDef]:
    """`GET /stripe/events/{id}`, `POST /stripe/events/{id}/again`, and `POST /stripe/events` for one's own."""

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

    async def sent(request: web.Request) -> web.Response:
        wanted = validated(OwnEvent, await read_json(request))
        return web.json_response({"id": stripe.send_own_event(wanted.type, wanted.data.object, wanted.id)})

    return [
        web.get("/stripe/events/{id}", shown),
        web.post("/stripe/events/{id}/again", again),
        web.post("/stripe/events", sent),
    ]

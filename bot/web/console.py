"""The operators' door: what happens now, as a stream of events, and giving a conversation back to the bot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.conversations.handoff import HandOff
from bot.conversations.identity import is_conversation
from bot.infra.live_events import LiveEvents
from bot.web.refusals import refused
from bot.web.token_guard import GUARD

TOKEN = web.AppKey("console_token", str)
EVENTS = web.AppKey("events", LiveEvents)
HANDOFF = web.AppKey("handoff", HandOff)
# How many pages may be open.
MOST_STREAMS = 100
PLACES = web.AppKey("stream_places", asyncio.Semaphore)
CLOSING = web.AppKey("closing", asyncio.Event)

_HEARTBEAT_SECONDS = 15
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

routes = web.RouteTableDef()


def operators_only(handler: Handler) -> Handler:
    """Ask for `Authorization: Bearer CONSOLE_TOKEN`."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        request.app[GUARD].check(request, request.app[TOKEN], door="console")
        return await handler(request)

    return guarded


@routes.get("/console/events", allow_head=False)
@operators_only
async def events(request: web.Request) -> web.StreamResponse:
    """Turns and hand-overs of all conversations as they happen, as server-sent events."""
    places = request.app[PLACES]
    if places.locked():
        # Each is a connection to Redis too.
        refused("streams_full")
        raise web.HTTPServiceUnavailable(text="too many pages are open", headers={"Retry-After": "5"})
    async with places:
        return await stream(request, request.app[EVENTS].listen())


@routes.post("/console/conversations/{conversation}/give-back")
@operators_only
async def give_back(request: web.Request) -> web.Response:
    """Let the bot answer again in a conversation that a person had taken."""
    conversation = request.match_info["conversation"]
    if not is_conversation(conversation) or not await request.app[HANDOFF].give_back(conversation):
        raise web.HTTPNotFound(text="there is no such conversation")
    return web.json_response({"conversation": conversation, "quiet": False})


async def stream(request: web.Request, source: AsyncIterator[dict[str, Any]]) -> web.StreamResponse:
    """Write events as they come (WHATWG server-sent events), with a heartbeat, until the page or we go away."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    upcoming: asyncio.Future[Any] = asyncio.ensure_future(anext(source))
    closing: asyncio.Future[Any] = asyncio.ensure_future(request.app[CLOSING].wait())
    try:
        while not closing.done():
            await asyncio.wait({upcoming, closing}, timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if upcoming.done():
                await response.write(f"data: {json.dumps(upcoming.result(), ensure_ascii=False)}\n\n".encode())
                upcoming = asyncio.ensure_future(anext(source))
            else:
                await response.write(b": still here\n\n")
    except ConnectionResetError:
        return response
    finally:
        for waiting in (upcoming, closing):
            waiting.cancel()
        await asyncio.gather(upcoming, closing, return_exceptions=True)
    return response

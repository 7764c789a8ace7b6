"""The console's live events: a stream that goes on where it broke, for ten minutes."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse
from redis.exceptions import RedisError

from bot.web.console.access import COOKIE, TOKEN_HOLDER, Caller, operators_may
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.console.token_routes import STREAM_SLOTS, stream
from bot.web.refusals import count_refusal

routes = web.RouteTableDef()
# How often a stream looks whether its session still runs.
_LOOK_SECONDS = 15.0
# Tabs of one person, among them those that the browser has just closed: nobody takes the places of all.
_MOST_OF_A_CALLER = 20
OPEN_STREAMS = web.AppKey("open_streams", Counter[str])


@routes.get("/console/api/events", allow_head=False)
@operators_may("read")
async def events(request: web.Request, caller: Caller) -> web.StreamResponse:
    """Stream what happens. `Last-Event-ID` goes on after that event, or the event `reset` says that some are lost."""
    slots, own = request.app[STREAM_SLOTS], request.app[OPEN_STREAMS]
    if slots.locked() or own[caller.who] >= _MOST_OF_A_CALLER:
        count_refusal("streams_full")
        raise ApiProblem(503, "streams_full", headers={"Retry-After": "5"})
    after = request.headers.get("Last-Event-ID") or request.query.get("after")
    own[caller.who] += 1
    try:
        async with slots:
            return await stream(request, lambda response: _send(request, caller, response, after))
    finally:
        own[caller.who] -= 1
        if own[caller.who] == 0 and caller.who != TOKEN_HOLDER:
            with suppress(RedisError, OSError):
                await (await parts(request)).presence.leaves(caller.who)
        # Counts without the callers that are gone.
        own += Counter()


async def _send(request: web.Request, caller: Caller, response: EventSourceResponse, after: str | None) -> None:
    looked = time.monotonic()
    console = await parts(request)
    if caller.who != TOKEN_HOLDER:
        await console.presence.here(caller.who)
    # Because the page may be closed or stall at any time, neither is an error; without Redis the page comes back.
    with suppress(ConnectionResetError, TimeoutError, RedisError):
        async for place, event in console.events.follow(after):
            if event is not None:
                await response.send(json.dumps(event, ensure_ascii=False), id=place)
            elif place:
                await response.send(json.dumps({"type": "reset"}), id=place, event="reset")
            if time.monotonic() - looked > _LOOK_SECONDS:
                looked = time.monotonic()
                if caller.who != TOKEN_HOLDER and await console.sessions.of(request.cookies.get(COOKIE, "")) is None:
                    return
                if caller.who != TOKEN_HOLDER:
                    await console.presence.here(caller.who)

"""Routes of the operators: live events, giving a conversation back to the bot, and the thread's owner at Meta."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from bot.conversations.handoff import HandOff
from bot.conversations.identity import is_conversation
from bot.conversations.thread_control import ThreadControl
from bot.infra.live_events import LiveEvents
from bot.web.refusals import count_refusal
from bot.web.token_guard import GUARD
from bot.whatsapp.client import ThreadAction
from bot.whatsapp.errors import GraphError, MetaUnavailable, fix_for

CONSOLE_TOKEN = web.AppKey("console_token", str)
EVENTS = web.AppKey("events", LiveEvents)
HANDOFF = web.AppKey("handoff", HandOff)
THREADS = web.AppKey("threads", ThreadControl)
_ACTIONS: dict[str, ThreadAction] = {"take": "take", "pass": "pass", "release": "release"}
# Open pages; each holds a connection to Redis too.
MOST_STREAMS = 100
STREAM_SLOTS = web.AppKey("stream_slots", asyncio.Semaphore)
CLOSING = web.AppKey("closing", asyncio.Event)

_HEARTBEAT_SECONDS = 15
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Send = Callable[[EventSourceResponse], Coroutine[Any, Any, None]]

routes = web.RouteTableDef()


def operators_only(handler: Handler) -> Handler:
    """Ask for `Authorization: Bearer CONSOLE_TOKEN`."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        request.app[GUARD].check(request, request.app[CONSOLE_TOKEN], realm="console")
        return await handler(request)

    return guarded


@routes.get("/console/events", allow_head=False)
@operators_only
async def events(request: web.Request) -> web.StreamResponse:
    """Stream turns and hand-overs of all conversations as server-sent events."""
    slots = request.app[STREAM_SLOTS]
    if slots.locked():
        count_refusal("streams_full")
        raise web.HTTPServiceUnavailable(text="too many pages are open", headers={"Retry-After": "5"})
    async with slots:
        return await stream(request, lambda response: _send(response, request.app[EVENTS].listen()))


@routes.post("/console/conversations/{conversation}/give-back")
@operators_only
async def give_back(request: web.Request) -> web.Response:
    """Let the bot answer again in a conversation that a colleague had taken over."""
    conversation = request.match_info["conversation"]
    with _metas_refusals():
        if not is_conversation(conversation) or not await request.app[HANDOFF].give_back(conversation):
            raise web.HTTPNotFound(text="there is no such conversation")
    return web.json_response({"conversation": conversation, "quiet": False})


@routes.get("/console/conversations/{conversation}/thread", allow_head=False)
@operators_only
async def thread(request: web.Request) -> web.Response:
    """Tell which app owns the person's thread at Meta; nulls where nothing routes it."""
    return await _thread(request, await _known(request))


@routes.post("/console/conversations/{conversation}/thread/{action:take|pass|release}")
@operators_only
async def move_thread(request: web.Request) -> web.Response:
    """Take, pass on or release the person's thread at Meta."""
    conversation, action = await _known(request), request.match_info["action"]
    with _metas_refusals():
        await request.app[THREADS].move(conversation, _ACTIONS[action])
    return await _thread(request, conversation)


async def _known(request: web.Request) -> str:
    conversation = request.match_info["conversation"]
    if not is_conversation(conversation) or not await request.app[HANDOFF].knows(conversation):
        raise web.HTTPNotFound(text="there is no such conversation")
    return conversation


async def _thread(request: web.Request, conversation: str) -> web.Response:
    found = await request.app[THREADS].owner(conversation)
    owner = {"owner": found.owner, "role": found.role, "since": found.since.isoformat()} if found else {"owner": None}
    return web.json_response({"conversation": conversation, **owner})


@contextmanager
def _metas_refusals() -> Iterator[None]:
    """Answer 409 where Meta refuses, with the remedy, and 503 where Meta doesn't answer."""
    try:
        yield
    except GraphError as error:
        raise web.HTTPConflict(text=f"{error}; {fix_for(error.code)}") from error
    except MetaUnavailable as error:
        raise web.HTTPServiceUnavailable(text=f"{error}; try again in a moment") from error


async def stream(request: web.Request, send: Send) -> web.StreamResponse:
    """Let `send` write events as they come, with a heartbeat, until the page or this server goes away."""
    response = EventSourceResponse(sep="\n", ping_interval=_HEARTBEAT_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    await response.prepare(request)
    async with response:
        sending = asyncio.ensure_future(send(response))
        disconnected = asyncio.ensure_future(response.wait())
        closing = asyncio.ensure_future(request.app[CLOSING].wait())
        waiting: set[asyncio.Future[Any]] = {sending, disconnected, closing}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await sending
        finally:
            for future in waiting:
                future.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
    return response


async def _send(response: EventSourceResponse, source: AsyncIterator[dict[str, Any]]) -> None:
    # Because the page may be closed or stall at any time, neither is an error.
    with suppress(ConnectionResetError, TimeoutError):
        async for event in source:
            await response.send(json.dumps(event, ensure_ascii=False))

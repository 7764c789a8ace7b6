"""The page's button that gives a conversation back to the bot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.conversations.handoff import HandOff
from bot.conversations.identity import is_conversation
from bot.whatsapp.errors import GraphError, MetaUnavailable


def give_back_handler(handoff: HandOff) -> Callable[[web.Request], Awaitable[web.Response]]:
    """`POST /sandbox/give-back` with `{conversation}`."""

    async def handler(request: web.Request) -> web.Response:
        try:
            conversation = (await request.json())["conversation"]
        except (ValueError, KeyError, TypeError) as error:
            raise web.HTTPBadRequest(text='expected {"conversation": "c_…"}') from error
        try:
            if not is_conversation(conversation) or not await handoff.give_back(conversation):
                raise web.HTTPNotFound(text="there is no such conversation")
        except (GraphError, MetaUnavailable) as error:
            raise web.HTTPConflict(text=str(error)) from error
        return web.json_response({})

    return handler

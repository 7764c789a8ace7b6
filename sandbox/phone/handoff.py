"""The page's button that gives a conversation back to the bot, as the console does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from bot.conversations.assignment import NoConversation
from bot.whatsapp.errors import GraphError, MetaUnavailable

if TYPE_CHECKING:
    from bot.console.parts import ConsoleParts

_WHO = "sandbox"


def give_back_handler(
    console: Callable[[], Awaitable[ConsoleParts]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """`POST /sandbox/give-back` with `{conversation}`; what was asked meanwhile is answered then."""

    async def handler(request: web.Request) -> web.Response:
        try:
            conversation = str((await request.json())["conversation"])
        except (ValueError, KeyError, TypeError) as error:
            raise web.HTTPBadRequest(text='expected {"conversation": "c_…"}') from error
        parts = await console()
        # With the parts, because the console's libraries are loaded at its first request.
        from bot.console.conversation_actions import Actor  # noqa: PLC0415

        try:
            home = await parts.actions.known(conversation)
            await parts.actions.give_back(home, Actor(_WHO, _WHO, for_others=True), None, parts.scheduler)
        except NoConversation as error:
            raise web.HTTPNotFound(text="there is no such conversation") from error
        except (GraphError, MetaUnavailable) as error:
            raise web.HTTPConflict(text=str(error)) from error
        return web.json_response({})

    return handler

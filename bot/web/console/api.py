"""The console within the web server: its routes, and the refusal of all other paths below its API."""

from __future__ import annotations

import asyncio
from collections import Counter

from aiohttp import web

from bot.settings import Settings
from bot.settings.reading import origin
from bot.web.console import (
    company_login_routes,
    contact_routes,
    conversation_routes,
    document_routes,
    event_routes,
    list_routes,
    message_routes,
    pages,
    push_routes,
    replay_routes,
    session_routes,
    token_routes,
    trust_routes,
)
from bot.web.console.access import PUBLIC, PublicUrl, open_to_all
from bot.web.console.problems import ApiProblem

_ROUTES = (
    session_routes.routes,
    company_login_routes.routes,
    conversation_routes.routes,
    message_routes.routes,
    contact_routes.routes,
    list_routes.routes,
    trust_routes.routes,
    replay_routes.routes,
    push_routes.routes,
    document_routes.routes,
    event_routes.routes,
)


def add_console(app: web.Application, settings: Settings) -> None:
    """Add the console's routes; CONSOLE_TOKEN and the parts are set by the server."""
    public = settings.service.public_url
    app[PUBLIC] = PublicUrl(origin(public) if public else None, settings.service.default_language)
    app[company_login_routes.PROVIDER] = settings.oidc
    app[message_routes.UPLOAD_SLOTS] = asyncio.Semaphore(message_routes.MOST_UPLOADS)
    app[message_routes.OWN_UPLOADS] = Counter()
    app[event_routes.OPEN_STREAMS] = Counter()
    app.add_routes(token_routes.routes)
    for routes in _ROUTES:
        app.add_routes(routes)
    app.router.add_route("*", "/console/api/{path:.*}", _unknown)
    app.add_routes(pages.routes)


@open_to_all
async def _unknown(_: web.Request) -> web.Response:
    raise ApiProblem(404, "not_found")

"""The sandbox's way into the console: on this machine alone, without a password."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.web.console.parts import OPENING
from bot.web.console.session_routes import set_cookie
from bot.web.token_guard import client_of

_EMAIL = "admin@example.com"
_NAME = "Admin"


def console_login_handler(app: web.Application) -> Callable[[web.Request], Awaitable[web.Response]]:
    """`GET /sandbox/console` of a browser on this machine: log in as the demo's admin, and open the console.

    `app` is the server that has the console.
    """

    async def handler(request: web.Request) -> web.Response:
        address, _ = client_of(request)
        # A tunnel that tells nothing of its clients comes from this machine too, but for the name that they asked for.
        name = request.url.host or ""
        if not (_is_loopback(address) and _is_loopback(request.remote or "") and _is_own_name(name)):
            raise web.HTTPForbidden(text="only this machine's browsers come in so; see `recado operators add --help`")
        if request.headers.get("Sec-Fetch-Site", "none") == "cross-site":
            raise web.HTTPForbidden(text="open the console from the page, or by its address")
        console = await app[OPENING]()
        operator = await console.operators.by_email(_EMAIL)
        if operator is None:
            operator, _token = await console.operators.add(_NAME, _EMAIL, "admin")
        session = await console.sessions.begin(operator, address)
        await console.audit.record(operator.email, "login", "sandbox", address=address)
        response = web.Response(status=302, headers={"Location": "/console/", "Cache-Control": "no-store"})
        set_cookie(app, response, session.token, (session.expires_at - session.began_at).total_seconds())
        return response

    return handler


def _is_own_name(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("/")[0]).is_loopback
    except ValueError:
        return False

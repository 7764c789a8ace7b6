"""The page's button that subscribes a simulated browser to Recado's push notifications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.simulators.web_push import PushServiceSimulator


def subscribe_handler(
    push: PushServiceSimulator, server_key: str, recado: str, http: aiohttp.ClientSession
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """`POST /sandbox/push/browser` with the `{token}` of an invitation link; passes on the answer of `recado`."""

    async def handler(request: web.Request) -> web.Response:
        try:
            token = (await request.json())["token"]
        except (ValueError, KeyError, TypeError) as error:
            raise web.HTTPBadRequest(text='expected {"token": the last part of the link}') from error
        subscription: dict[str, Any] = push.subscribe(server_key)
        body = {"subscription": subscription, "token": token}
        async with http.post(f"{recado}/push/subscriptions", json=body) as response:
            return web.json_response(await response.json(content_type=None), status=response.status)

    return handler
